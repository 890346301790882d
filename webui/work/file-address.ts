import { decodeNames, encodeName } from '#host/file-name.ts'

/** What an address below a session asks for: a page of a file or folder, its content, or the content behind its LFS pointer. */
export type FileView = 'tree' | 'raw' | 'download' | 'lfs'

export interface FileAddress {
  /** As it is in the address: it need not be an id. */
  sessionId: string
  view: FileView
  /** The hash of the tree that the path is in; empty for a page, which shows the current one. */
  tree: string
  /** The names of the folders and of the file; empty for the top. They are as `decodeNames` makes them. */
  names: string[]
  query: URLSearchParams
}

/**
 * Parse the address of a request. Undefined if it is not one of a file, `malformed` if its percent signs are wrong. Express cannot
 * do it, because names are bytes and need not be UTF-8. Pure.
 */
export function parseFileAddress(url: string): FileAddress | 'malformed' | undefined {
  const [, id = '', view = '', rest = '', query = ''] = addressPattern.exec(url) ?? []
  if (view === '') return undefined
  const [sessionId, ...parts] = [id, ...rest.split('/')].map(decodePart)
  if (sessionId === undefined || parts.includes(undefined)) return 'malformed'
  const tree = view === 'tree' ? '' : (parts.shift() ?? '')
  const names = parts.filter(part => part !== undefined)
  if (names.at(-1) === '') names.pop() // A folder may end with a slash.
  return { sessionId, view: view as FileView, tree, names, query: new URLSearchParams(query) }
}

/** Build the address of a path: a page, or its content in one tree. Every byte that means anything in an address is encoded. Pure. */
export function buildFileAddress(
  sessionId: string,
  path: string,
  { view = 'tree' as FileView, tree = '' } = {},
): string {
  const names = path.split('/').map(encodePart).join('/')
  return `/s/${encodePart(sessionId)}/${view}/${tree === '' ? '' : `${tree}/`}${names}`
}

/** `attachment` and a file name that every browser takes: the last name of the path in plain letters, and all of it. Pure. */
export function buildDisposition(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const text = encodeName(name).toString('utf8') // A browser wants UTF-8 there.
  const safe = text.replace(/[\p{C}\p{Zl}\p{Zp}/\\:*?"<>|]/gu, '_').replace(/^\.+/, '_')
  const plain = safe.replace(/[^\x20-\x7e]|[%;']/g, '_') || 'file'
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodePart(safe || 'file')}`
}

// --- internal ---

const addressPattern = /^\/s\/([^/?#]+)\/(tree|raw|download|lfs)\/([^?#]*)(?:\?([^#]*))?/

function encodePart(name: string): string {
  const latin1 = encodeName(name).toString('latin1')
  return latin1.replace(/[^\w.~-]/g, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/** Undefined for a percent sign without two digits, for NUL and for what no address has. */
function decodePart(part: string): string | undefined {
  if (/%(?![\da-f]{2})|%00|[^\x21-\x7e]/i.test(part)) return undefined
  return decodeNames(part.replace(/%(..)/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16))))
}
