import { DispatchError, exitCodes } from '#host/error.ts'
import { type CommitHooks, findCommitHooks } from '#host/git/user'
import { sanitize } from '#host/text.ts'
import type { ApplyStyle, Session } from '#session'
import { UsageError } from '../command.ts'
import { formatTitle, paint, print } from '../output/terminal.ts'
import { confirmSessionId, readTypedLine } from './confirm.ts'

interface ApplyOptions {
  squash?: boolean
  author?: string
  hooks?: boolean
  'no-hooks'?: boolean
}

/** How the work is to come. Exit 2 for options that contradict each other. */
export function readApplyStyle({ squash, author, ...options }: ApplyOptions): ApplyStyle {
  if (author !== undefined && author !== 'me')
    throw new UsageError(`--author ${author} is not known`, 'For your own name: --author me')
  const hooks = options.hooks ? '--hooks' : options['no-hooks'] ? '--no-hooks' : undefined
  if (options.hooks && options['no-hooks']) throw new UsageError('--hooks and --no-hooks contradict each other')
  if (hooks !== undefined && !squash)
    throw new UsageError(`${hooks} needs --squash: no other way of applying runs hooks`)
  if (squash) return 'squashed'
  return author === 'me' ? 'in your name' : 'as it is'
}

/** What was decided about the user's commit hooks. */
export interface HooksChoice {
  found: CommitHooks | undefined
  run: boolean
}

/**
 * Which hooks are there, and do they run? They have the user's rights, and run on files that agents wrote: husky's even are
 * such files. So a person says so, at the terminal or with --hooks.
 */
export async function chooseHooks(repository: string, options: ApplyOptions, canAsk: boolean): Promise<HooksChoice> {
  const found = await findCommitHooks(repository)
  if (found === undefined || options['no-hooks']) return { found, run: false }
  if (options.hooks || !canAsk) return { found, run: options.hooks === true }
  print(`  hooks    ${describeHooks(found)}`)
  print(paint('yellow', '           They would run with your rights, on files that agents wrote.'))
  return { found, run: /^y(es)?$/i.test(await readTypedLine('           Run them? [y/N] ')) }
}

/** `pre-commit, commit-msg in .husky/_, which is a folder of the work tree`. */
export function describeHooks({ names, folder, isInWorkTree }: CommitHooks): string {
  return `${names.join(', ')} in ${folder}${isInWorkTree ? ', a folder of the work tree' : ''}`
}

/** Ask a person whether to apply work without a valid PASS. Exit 5 for a no, and without a terminal. */
export async function confirmWarning(session: Session, warning: string, canAsk: boolean): Promise<void> {
  if (canAsk) print(`${formatTitle(session.id)}\n  ${paint('red', sanitize(warning))}`)
  if (canAsk && (await confirmSessionId(session, '  Apply it anyway?'))) return
  const letters = session.id.slice(-4)
  throw new DispatchError(`${canAsk ? '' : `${sanitize(warning)} `}Nothing was applied.`, {
    exitCode: exitCodes.conflict,
    remedy: `To look at it: dispatch show ${letters}. To apply it anyway: dispatch apply ${letters} --anyway`,
  })
}
