import { defineCommand } from '../command.ts'
export const command = defineCommand({
  about: `
Serves the observatory on 127.0.0.1 (WEBUI_PORT, 7777): every session on a page that can only be read. \`dispatch "task"\`
starts it by itself.
`,
  async run() {
    await import('#bin/processes/web.ts')
    return Number(process.exitCode ?? 0)
  },
})
