import { formatPatch, OMIT_HEADERS, type StructuredPatch, structuredPatch } from 'diff'
import { parseJson } from '#host/json.ts'
import { sanitize } from '#host/text.ts'
import { paint } from './terminal.ts'

/** The change of a file as a unified diff, colored on a terminal; undefined for a file that does not exist. */
export function paintDiff(file: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return ''
  const [old, fresh] = [before, after].map(formatJson)
  const names = [before === undefined ? '/dev/null' : file, after === undefined ? '/dev/null' : file]
  return [
    paint('red', sanitize(`--- ${names[0]}`)),
    paint('green', sanitize(`+++ ${names[1]}`)),
    ...paintHunks(old ?? '', fresh ?? ''),
  ].join('\n')
}

/** The changed lines of a text with three lines around them, colored on a terminal; empty without a difference. */
export function paintHunks(before: string, after: string): string[] {
  return computeHunks(before, after).map(line => {
    const style = ({ '@': 'cyan', '+': 'green', '-': 'red' } as const)[line[0] ?? '']
    return style ? paint(style, sanitize(line)) : sanitize(line)
  })
}

// --- internal ---

const CONTEXT_LINES = 3
/** A diff up to this size takes a quarter of a second; a larger one removes the whole old text and adds the new one. */
const MAX_EDITED_LINES = 2000
const NO_NEWLINE = '\\ No newline at end of file'

function computeHunks(before: string, after: string): string[] {
  if (before === after) return []
  const texts = [before, after]
  const patch =
    structuredPatch('', '', before, after, '', '', {
      context: CONTEXT_LINES,
      maxEditLength: MAX_EDITED_LINES,
      // A lone \r is shown, but not one that ends every line.
      stripTrailingCr: texts.every(text => !/(?:^|[^\r])\n/.test(text)),
    }) ?? replaceAll(before, after)
  const lines = formatPatch(patch, OMIT_HEADERS).slice(0, -1).split('\n')
  // claude writes files without a last newline; only a change of that is worth a line.
  const isEndSame = before.endsWith('\n') === after.endsWith('\n')
  return isEndSame ? lines.filter(line => line !== NO_NEWLINE) : lines
}

function replaceAll(before: string, after: string): StructuredPatch {
  const [old = [], fresh = []] = [before, after].map(text => (text === '' ? [] : text.replace(/\n$/, '').split('\n')))
  const lines = [...old.map(line => `-${line}`), ...fresh.map(line => `+${line}`)]
  return {
    oldFileName: '',
    newFileName: '',
    oldHeader: '',
    newHeader: '',
    hunks: [{ oldStart: 1, oldLines: old.length, newStart: 1, newLines: fresh.length, lines }],
  }
}

/** JSON on one long line is formatted before it is shown; the file keeps its own layout. */
function formatJson(text: string | undefined): string | undefined {
  if (text?.split('\n').some(line => line.length > 400) !== true) return text
  const value = parseJson(text.replace(/^\ufeff/, ''))
  return value === undefined ? text : JSON.stringify(value, null, 2)
}
