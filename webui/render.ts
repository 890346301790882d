import path from 'node:path'
import { Eta } from 'eta'
import { installFolder } from '#host/config'
import { sanitize } from '#host/text.ts'
import type { ListPage } from './pages/list.ts'
import type { MatrixPage } from './pages/matrix-page.ts'
import type { SessionPage } from './pages/session.ts'

/** A page of a few words: what is not there, what went wrong. */
export interface MessagePage {
  title: string
  words: string
  remedy: string
}

/** What every page has around it. */
export interface PageFrame {
  version: string
  home: string
  getChannelWarning(): string
}

/** Turn pages into HTML, with our frame round them. */
export function createRenderer(frame: PageFrame) {
  const eta = createTemplates()
  return {
    list: (page: ListPage) => eta.render('./list', { frame, silence: frame.getChannelWarning(), ...page }),
    session: (page: SessionPage) => eta.render('./session', { frame, silence: frame.getChannelWarning(), ...page }),
    matrix: (page: MatrixPage & { refresh: number }) => eta.render('./matrix', { frame, ...page }),
    message: (page: MessagePage) => eta.render('./message', { frame, refresh: 0, ...page }),
  }
}

/** The matrix alone, without a frame: a piece of HTML. */
export function renderMatrixFragment(page: MatrixPage): string {
  return createTemplates().render('./sentences', page)
}

/** Every value on its way into a template is first made printable, then escaped. */
function createTemplates(): Eta {
  const eta = new Eta({ views: path.join(installFolder, 'webui/views'), cache: true })
  const { escapeFunction } = eta.config
  eta.configure({ escapeFunction: value => escapeFunction(sanitize(String(value))) })
  return eta
}
