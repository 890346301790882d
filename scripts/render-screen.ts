/**
 * Draw the recorded screen of a command as an SVG that can be read on a light and on a dark page:
 *
 *     node scripts/render-screen.ts docs/walk-typescript.md "dispatch watch" docs/images/run.svg
 *
 * The document has screens in fenced blocks, each beginning with `$ command`. Nothing is added; lines in the middle of a
 * long screen are left out, and a line says how many.
 */
import fs from 'node:fs'
import path from 'node:path'

const MAX_LINES = 44
/** How much of a long story is from its beginning. */
const HEAD_RATIO = 0.42
const MAX_COLUMNS = 110
const CHARACTER_PIXELS = 8.4
const LINE_PIXELS = 18
const MARGIN_PIXELS = 18
const TITLE_BAR_PIXELS = 34

const colors = { text: '#d0d7de', dim: '#8b949e', green: '#56d364', red: '#ff7b72', cyan: '#76e3ea', bold: '#ffffff' }
type Color = keyof typeof colors

const outcomeColors: Record<string, Color> = {
  PASS: 'green',
  green: 'green',
  FAIL: 'red',
  red: 'red',
  INCONCLUSIVE: 'bold',
}

interface Span {
  text: string
  color: Color
}

const [source, command, target] = process.argv.slice(2)
if (source === undefined || command === undefined || target === undefined) {
  process.stderr.write('usage: node scripts/render-screen.ts DOCUMENT COMMAND TARGET.svg\n')
  process.exit(2)
}
const screen = findScreen(fs.readFileSync(source, 'utf8'), command)
fs.mkdirSync(path.dirname(target), { recursive: true })
fs.writeFileSync(target, renderSvg(shorten(foldLines(screen)), `$ ${command}`))
process.stdout.write(`${target}: ${fs.statSync(target).size} bytes\n`)

/** The lines below `$ command` in its fenced block. */
function findScreen(document: string, wanted: string): string[] {
  const blocks = [...document.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block.trimEnd().split('\n'))
  const found = blocks.find(([first]) => first === `$ ${wanted}`)
  if (found === undefined) throw new Error(`the document has no screen of: ${wanted}`)
  return found.slice(1)
}

/** No line wider than the terminal that was recorded. */
function foldLines(lines: string[]): string[] {
  return lines.flatMap(line =>
    line.length <= MAX_COLUMNS ? [line] : (line.match(new RegExp(`.{1,${MAX_COLUMNS}}`, 'g')) ?? []),
  )
}

/** The story up to its last line, without the summary below it, and at most so many lines. */
function shorten(lines: string[]): string[] {
  const end = lines.indexOf('')
  const story = end > 0 ? lines.slice(0, end) : lines
  if (story.length <= MAX_LINES) return story
  const headLines = Math.ceil(MAX_LINES * HEAD_RATIO)
  const tailLines = MAX_LINES - headLines - 1
  const leftOut = story.length - headLines - tailLines
  return [...story.slice(0, headLines), `       ⋮      ${leftOut} lines`, ...story.slice(-tailLines)]
}

/** The colors that dispatch itself paints: time dim, actor cyan, outcomes green and red. */
function colorLine(line: string): Span[] {
  const [, time, actor, rest] = /^(\d\d:\d\d {2})(\S+ *)(.*)$/.exec(line) ?? []
  if (time !== undefined && actor !== undefined && rest !== undefined)
    return [{ text: time, color: 'dim' }, { text: actor, color: 'cyan' }, ...colorOutcomes(rest)]
  return /^ +⋮/.test(line) ? [{ text: line, color: 'dim' }] : colorOutcomes(line)
}

function colorOutcomes(text: string): Span[] {
  return text
    .split(/(\b(?:PASS|FAIL|INCONCLUSIVE|green|red)\b)/)
    .filter(part => part !== '')
    .map(part => ({ text: part, color: outcomeColors[part] ?? 'text' }))
}

function renderSvg(lines: string[], title: string): string {
  const columns = Math.max(title.length + 10, ...lines.map(line => line.length))
  const width = Math.ceil(columns * CHARACTER_PIXELS + 2 * MARGIN_PIXELS)
  const height = TITLE_BAR_PIXELS + lines.length * LINE_PIXELS + MARGIN_PIXELS
  const rows = lines.map((line, index) => renderLine(line, TITLE_BAR_PIXELS + (index + 1) * LINE_PIXELS))
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (color, index) => `<circle cx="${20 + index * 18}" cy="17" r="5.5" fill="${color}"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escapeXml(title)}</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="9" fill="#0d1117" stroke="#30363d"/>
${dots.join('')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" xml:space="preserve">
<text x="${width / 2}" y="22" fill="${colors.dim}" text-anchor="middle">${escapeXml(title)}</text>
${rows.join('\n')}
</g>
</svg>
`
}

/** Every span has its own place and length, so that columns stay straight in any monospaced font. */
function renderLine(line: string, y: number): string {
  let column = 0
  const spans = colorLine(line).map(({ text, color }) => {
    const begin = column + (text.length - text.trimStart().length)
    column += text.length
    const shown = text.trim()
    if (shown === '') return ''
    const x = (MARGIN_PIXELS + begin * CHARACTER_PIXELS).toFixed(1)
    const length = (shown.length * CHARACTER_PIXELS).toFixed(1)
    return `<tspan x="${x}" textLength="${length}" fill="${colors[color]}">${escapeXml(shown)}</tspan>`
  })
  return `<text y="${y}">${spans.join('')}</text>`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
