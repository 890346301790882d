import { bash, type ModelAction, put } from '#rehearsal/scenario.ts'

/** The data of both projects: quantities, each with its units as multiples of the first one. */
export const quantities: Record<string, Record<string, number>> = {
  length: { m: 1, km: 1000, cm: 0.01, mile: 1609.344 },
  mass: { kg: 1, g: 0.001, lb: 0.45359237 },
  time: { s: 1, min: 60, h: 3600, day: 86400, week: 604800 },
  area: { m2: 1, ha: 10000, km2: 1000000 },
  volume: { l: 1, ml: 0.001, m3: 1000 },
  speed: { mps: 1, kmh: 0.2777777777777778, knot: 0.5144444444444445 },
  energy: { J: 1, kJ: 1000, kWh: 3600000, cal: 4.184 },
  power: { W: 1, kW: 1000, hp: 745.6998715822702 },
  pressure: { Pa: 1, bar: 100000, atm: 101325 },
  angle: { rad: 1, deg: 0.017453292519943295, turn: 6.283185307179586 },
  data: { B: 1, kB: 1000, MB: 1000000, KiB: 1024, MiB: 1048576 },
  frequency: { Hz: 1, kHz: 1000, MHz: 1000000 },
  force: { N: 1, kN: 1000, lbf: 4.4482216152605 },
  charge: { C: 1, mAh: 3.6, Ah: 3600 },
  illuminance: { lx: 1, fc: 10.763910416709722 },
}

/** `length` as `Length`. */
export function capitalize(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`
}

/** The first turns of both orchestrators: a plan, and a valid contract. */
export const createOpeningTurns = (contract: string): ModelAction[] => [
  put(
    'plan.md',
    '# Plan\n\n1. A code worker adds the command and its test.\n2. At the same time an rw worker adds it to the README.',
  ),
  put('contract.md', contract),
  bash('contract check'),
]
