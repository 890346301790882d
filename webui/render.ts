import path from 'node:path'
import { Eta } from 'eta'
import { install, printable } from '../host/index.ts'
import type { ListPage } from './list.ts'
import type { MatrixPage } from './matrix.ts'
import type { SessionPage } from './page.ts'

/** A page of a few words: what is not there, what went wrong. */
export interface MessagePage {
  title: string
  words: string
  remedy: string
}

/** What every page has around it. */
export interface Frame {
  version: string
  home: string
  silence(): string
}

/** Turn pages into HTML, with our frame round them. */
export function createRenderer(frame: Frame) {
  const eta = templates()
  return {
    list: (page: ListPage) => eta.render('./list', { frame, silence: frame.silence(), ...page }),
    session: (page: SessionPage) => eta.render('./session', { frame, silence: frame.silence(), ...page }),
    matrix: (page: MatrixPage & { refresh: number }) => eta.render('./matrix', { frame, ...page }),
    message: (page: MessagePage) => eta.render('./message', { frame, refresh: 0, ...page }),
  }
}

/** The matrix alone, without a frame: a piece of HTML. */
export function matrixPiece(page: MatrixPage): string {
  return templates().render('./sentences', page)
}

/** Every value on its way into a template is first made printable, then escaped. */
function templates(): Eta {
  const eta = new Eta({ views: path.join(install, 'webui/views'), cache: true })
  const { escapeFunction } = eta.config
  eta.configure({ escapeFunction: value => escapeFunction(printable(String(value))) })
  return eta
}
