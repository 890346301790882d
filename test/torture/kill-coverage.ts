import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { KillPoint } from './kill-lab.ts'

/** What became of the points, over several runs. */
export interface KillCoverage {
  /** The points of a flow as an earlier run met them; undefined without such a run. */
  readPoints(flow: string): KillPoint[] | undefined
  notePoints(flow: string, points: KillPoint[]): void
  /** It was killed there, and nothing was wrong. */
  isCovered(flow: string, point: KillPoint): boolean
  /** How often a run went by without it. */
  countMisses(flow: string, point: KillPoint): number
  note(flow: string, point: KillPoint, outcome: 'covered' | 'missed' | 'failed'): void
  /** How many points of each flow are covered, how many of them with the programs of this run, and how many are known. */
  summarize(): { flow: string; covered: number; withThese: number; known: number }[]
}

interface Line {
  flow: string
  /** The programs, by `hashPrograms`. */
  code: string
  /** All points of the flow, in their order. */
  points?: KillPoint[]
  point?: KillPoint
  outcome?: 'covered' | 'missed' | 'failed'
}

/** Go on with the coverage in a file, one JSON line for each fact. Without a file it is kept for this run only. */
export function openCoverage(file: string | undefined, code: string): KillCoverage {
  const known = new Map<string, KillPoint[]>()
  const covered = new Map<string, Map<string, string>>()
  const misses = new Map<string, number>()
  const getCovered = (flow: string) =>
    covered.get(flow) ?? covered.set(flow, new Map()).get(flow) ?? new Map<string, string>()
  const take = ({ flow, points, point, outcome, ...line }: Line) => {
    if (points !== undefined) known.set(flow, points)
    if (point === undefined) return
    if (outcome === 'covered') getCovered(flow).set(nameOf(point), line.code)
    if (outcome === 'missed') misses.set(flow + nameOf(point), (misses.get(flow + nameOf(point)) ?? 0) + 1)
  }
  const add = (line: Line) => {
    take(line)
    if (file !== undefined) fs.appendFileSync(file, `${JSON.stringify(line)}\n`)
  }
  if (file !== undefined && fs.existsSync(file))
    for (const line of fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)) take(JSON.parse(line))
  return {
    readPoints: flow => known.get(flow),
    notePoints: (flow, points) => add({ flow, code, points }),
    isCovered: (flow, point) => getCovered(flow).has(nameOf(point)),
    countMisses: (flow, point) => misses.get(flow + nameOf(point)) ?? 0,
    note: (flow, point, outcome) => add({ flow, code, point, outcome }),
    summarize: () =>
      [...new Set([...known.keys(), ...covered.keys()])].map(flow => ({
        flow,
        covered: getCovered(flow).size,
        withThese: [...getCovered(flow).values()].filter(name => name === code).length,
        known: new Set([...getCovered(flow).keys(), ...(known.get(flow) ?? []).map(nameOf)]).size,
      })),
  }
}

/** The same programs give the same name. */
export function hashPrograms(folder: string): string {
  const hash = createHash('sha256')
  for (const name of fs.readdirSync(folder).sort())
    if (name.endsWith('.js')) hash.update(name).update(fs.readFileSync(path.join(folder, name)))
  return hash.digest('hex').slice(0, 12)
}

const nameOf = ({ label, occurrence, when }: KillPoint) => `${when} ${label} #${occurrence}`
