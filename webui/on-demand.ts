import type { Matrix } from '#session/readonly.ts'
import type { startServer as StartServer } from './server.ts'

// Most commands only ask whether a page runs. Express and the templates would take a third of the time of their start.

/** Open a home's page: see `server.ts`. */
export const startServer: typeof StartServer = async (...args) => (await import('./server.ts')).startServer(...args)

/** Render a matrix as one HTML page: see `render.ts`. */
export async function renderMatrixHtml(matrix: Matrix): Promise<string> {
  return (await import('./render.ts')).renderMatrixHtml(matrix)
}
