/** A range of a text: `end` is exclusive. */
interface TextRange {
  start: number
  end: number
}

/** A text without some of its characters, and a function that maps ranges in it back to the original text. */
interface TextView {
  text: string
  toOriginal<Range extends TextRange>(ranges: Range[]): Range[]
}

const ESCAPES = String.raw`\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\\u\{[0-9a-f]{1,6}\}`
const HIDDEN = String.raw`\p{Cf}\p{Mn}\u0000-\u0008\u000b-\u001f\u007f-\u009f\u115f\u1160\u3164`
/** Invisible characters: escape sequences, controls, format characters. */
export const INVISIBLE = new RegExp(`(?:${ESCAPES}|[${HIDDEN}])+`, 'gu')
/** Those, and the characters of markup and quotes. */
export const MARKUP = new RegExp(`(?:${ESCAPES}|[${HIDDEN}\`"'*~\\\\])+`, 'gu')
/** Those, and every blank and line break. */
export const BLANKS = new RegExp(`(?:${ESCAPES}|[${HIDDEN}\\s\`"'*~\\\\|>])+`, 'gu')

/** The view of a text without the matches of a pattern. Pure. */
export function createTextView(text: string, dropped: RegExp): TextView {
  const starts: number[] = []
  const shifts: number[] = []
  let shift = 0
  const view = text.replace(dropped, (match: string, offset: number) => {
    starts.push(offset - shift)
    shift += match.length
    shifts.push(shift)
    return ''
  })
  if (shift === 0) return { text, toOriginal: ranges => ranges }
  const toOriginalOffset = (offset: number) => offset + (shifts[findLastIndexUpTo(starts, offset)] ?? 0)
  return {
    text: view,
    toOriginal: ranges =>
      ranges.map(range => ({
        ...range,
        start: toOriginalOffset(range.start),
        end: toOriginalOffset(range.end - 1) + 1,
      })),
  }
}

// --- internal ---

/** The last index whose value is not greater; -1 when every value is greater. */
function findLastIndexUpTo(sorted: number[], value: number): number {
  let low = 0
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
