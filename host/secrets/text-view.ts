/** A place in a text. */
interface TextRange {
  start: number
  end: number
}

/** A text from which something was dropped, and the way back: ranges in it as ranges in the text that it was. */
interface TextView {
  text: string
  toOriginal<Found extends TextRange>(found: Found[]): Found[]
}

const escapes = String.raw`\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\\u\{[0-9a-f]{1,6}\}`
const hidden = String.raw`\p{Cf}\p{Mn}\u0000-\u0008\u000b-\u001f\u007f-\u009f\u115f\u1160\u3164`
/** What nobody sees, or what is only there to say so. */
export const invisiblePattern = new RegExp(`(?:${escapes}|[${hidden}])+`, 'gu')
/** That, and the signs of markup and quotes. */
export const markupPattern = new RegExp(`(?:${escapes}|[${hidden}\`"'*~\\\\])+`, 'gu')
/** That, and every blank and line break. */
export const blanksPattern = new RegExp(`(?:${escapes}|[${hidden}\\s\`"'*~\\\\|>])+`, 'gu')

/** A text without what was dropped. */
export function createTextView(text: string, dropped: RegExp): TextView {
  const starts: number[] = []
  const shifts: number[] = []
  let shift = 0
  const view = text.replace(dropped, (gone: string, at: number) => {
    starts.push(at - shift)
    shift += gone.length
    shifts.push(shift)
    return ''
  })
  if (shift === 0) return { text, toOriginal: found => found }
  const place = (at: number) => at + (shifts[findLastIndexUpTo(starts, at)] ?? 0)
  return {
    text: view,
    toOriginal: found => found.map(one => ({ ...one, start: place(one.start), end: place(one.end - 1) + 1 })),
  }
}

/** The last index whose value is not greater; -1 when there is none. */
function findLastIndexUpTo(sorted: number[], value: number): number {
  let low = 0
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
