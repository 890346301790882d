import { readRunningDaemon } from './daemon-record.ts'
import { type Code, isOutdated, readInstalledCode } from './installed-code.ts'

/** What runs beside the sessions with older code than is installed, and the command that changes that. */
export interface OutdatedPrograms {
  programs: ('daemon' | 'page')[]
  installed: Code
  remedy: string
}

/** Compare the code of a home's daemon and page with what is installed. `page` is the code of the page that runs, if one does. */
export function findOutdatedPrograms(home: string, page: Code | undefined): OutdatedPrograms {
  const installed = readInstalledCode()
  const daemon = readRunningDaemon(home)
  return {
    programs: [
      ...(daemon && isOutdated(daemon.code, installed) ? (['daemon'] as const) : []),
      ...(page && isOutdated(page, installed) ? (['page'] as const) : []),
    ],
    installed,
    remedy: daemon?.isService ? 'dispatch service restart' : 'dispatch daemon --restart',
  }
}

/** `the daemon and the page run older code than is installed`; empty if neither does. Pure. */
export function describeOutdatedPrograms({ programs }: OutdatedPrograms): string {
  if (programs.length === 0) return ''
  return `${programs.map(name => `the ${name}`).join(' and ')} ${programs.length === 1 ? 'runs' : 'run'} older code than is installed`
}
