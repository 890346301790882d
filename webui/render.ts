import fs from 'node:fs'
import path from 'node:path'
import { Eta } from 'eta'
import { installFolder } from '#host/config'
import { sanitize } from '#host/text.ts'
import type { Matrix } from '#session/readonly.ts'
import type { FilePage } from './pages/file.ts'
import type { FolderPage } from './pages/folder.ts'
import type { ListPage } from './pages/list.ts'
import { buildMatrixPage, type MatrixPage } from './pages/matrix.ts'
import type { SessionPage } from './pages/session.ts'

/** A page with a short message: something does not exist, or failed. */
export interface MessagePage {
  title: string
  message: string
}

/** What every page needs besides its own content. */
export interface PageFrame {
  version: string
  home: string
  /** Why notifications are not arriving; empty while all is well. */
  getChannelWarning(): string
  /** What runs older code than is installed, and the remedy; empty if nothing does. */
  getCodeWarning(): string
}

/** Create functions that render each page as HTML. */
export function createRenderer(frame: PageFrame) {
  const eta = createTemplates()
  const { getChannelWarning } = frame
  return {
    list: (page: ListPage) => eta.render('./list', { frame, channelWarning: getChannelWarning(), ...page }),
    session: (page: SessionPage) => eta.render('./session', { frame, channelWarning: getChannelWarning(), ...page }),
    matrix: (page: MatrixPage & { refreshMs: number }) => eta.render('./matrix', { frame, ...page }),
    folder: (page: FolderPage) => eta.render('./folder', { frame, ...page }),
    file: (page: FilePage) => eta.render('./file', { frame, ...page }),
    message: (page: MessagePage) => eta.render('./message', { frame, refreshMs: 0, ...page }),
  }
}

/** Render a matrix as one HTML page that needs no other file and runs no script. */
export function renderMatrixHtml(matrix: Matrix): string {
  const style = fs.readFileSync(path.join(installFolder, 'webui/public/style.css'), 'utf8')
  const policy = "default-src 'none'; style-src 'unsafe-inline'"
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Matrix</title>
<style>
${style}</style>
</head>
<body>
<main>
${createTemplates().render('./matrix-body', buildMatrixPage(matrix))}</main>
</body>
</html>
`
}

/** Every value that a template prints is sanitized, then escaped. */
function createTemplates(): Eta {
  const eta = new Eta({ views: path.join(installFolder, 'webui/views'), cache: true })
  const { escapeFunction } = eta.config
  eta.configure({ escapeFunction: value => escapeFunction(sanitize(String(value))) })
  return eta
}
