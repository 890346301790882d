/** Reads a QR code from what stands on a terminal: enough of one for ours (byte mode, level L, one block, unharmed). */
export function readQr(lines: string[]): string {
  const dark = modulesOf(lines)
  const size = dark.length
  const version = (size - 17) / 4
  if (!Number.isInteger(version) || version < 2 || version > 5) throw new Error(`no code of ours: ${size} modules`)
  const { level, mask } = formatOf(dark)
  if (level !== 1) throw new Error(`level ${level} has its words in several blocks`)
  const bits: number[] = []
  const isData = (x: number, y: number) => !isFunction(x, y, size)
  for (const [x, y] of zigzag(size)) if (isData(x, y)) bits.push(Number(dark[y]?.[x] !== masks[mask]?.(x, y)))
  return bytesIn(bits)
}

/** Two modules a character: blocks are light. The margin is cut away. */
function modulesOf(lines: string[]): boolean[][] {
  const rows = lines.flatMap(line => {
    const signs = [...line]
    return [signs.map(sign => !'█▀'.includes(sign)), signs.map(sign => !'█▄'.includes(sign))]
  })
  const margin = 4
  const width = rows[0]?.length ?? 0
  const inside = rows.slice(margin, margin + width - 2 * margin).map(row => row.slice(margin, width - margin))
  const rim = [...rows.slice(0, margin), ...rows.map(row => [...row.slice(0, margin), ...row.slice(-margin)])]
  if (rim.slice(0, -1).flat().some(Boolean)) throw new Error('its margin is not light')
  return inside
}

/** The copy of the format beside the upper left corner, its mask taken off. */
function formatOf(dark: boolean[][]): { level: number; mask: number } {
  const places = [0, 1, 2, 3, 4, 5, 7, 8].map(x => [x, 8] as const)
  const read = places.reduce((value, [x, y]) => (value << 1) | Number(dark[y]?.[x]), 0)
  const format = (read ^ (0b101010000010010 >> 7)) & 0xff
  return { level: format >> 6, mask: (format >> 3) & 7 }
}

const masks: ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  x => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

/** Corners, the lines between them, the one mark at the lower right, and the format. */
function isFunction(x: number, y: number, size: number): boolean {
  const corner = (x < 9 && y < 9) || (x >= size - 8 && y < 9) || (x < 9 && y >= size - 8)
  const mark = Math.abs(x - (size - 7)) <= 2 && Math.abs(y - (size - 7)) <= 2
  return corner || mark || x === 6 || y === 6
}

/** Two columns at a time from the right, upwards first; the column of the timing line is left out. */
function zigzag(size: number): [x: number, y: number][] {
  const places: [number, number][] = []
  const columns = Array.from({ length: size - 1 }, (_, at) => size - 1 - at - (at >= size - 7 ? 1 : 0))
  for (let pair = 0; pair < columns.length; pair += 2)
    for (let step = 0; step < size; step++)
      for (const x of columns.slice(pair, pair + 2)) places.push([x, pair % 4 === 0 ? size - 1 - step : step])
  return places
}

/** Mode, length and the bytes themselves. */
function bytesIn(bits: number[]): string {
  const number = (from: number, length: number) =>
    bits.slice(from, from + length).reduce((sum, bit) => sum * 2 + bit, 0)
  if (number(0, 4) !== 4) throw new Error('not in bytes')
  return Buffer.from(Array.from({ length: number(4, 8) }, (_, at) => number(12 + at * 8, 8))).toString()
}
