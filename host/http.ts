/**
 * Node's HTTP client and server. `import http from 'node:http'` reads all names of that module, and for `WebSocket` Node loads the
 * whole of fetch: 40 ms of each program's start.
 */
export const http = process.getBuiltinModule('node:http')
export const https = process.getBuiltinModule('node:https')
