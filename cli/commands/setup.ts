import path from 'node:path'
import { createTrustEntry, detectLogin, findUserSettings, isTrusted, readClaudeConfig } from '#host/claude'
import { type Config, readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { makePrivateFolder } from '#host/fs'
import { installEntries, type JsonEntry, previewInstall, resolveJournal } from '#host/user-config'
import { defineCommand } from '../command.ts'
import { buildExternalHooks, createExternalFolder } from '../external-sessions.ts'
import { confirmAction, refuseAgent } from '../input/confirm.ts'
import { paintDiff } from '../output/diff.ts'
import { paint, print } from '../output/terminal.ts'
export const command = defineCommand({
  about: `
With your own claude login, claude asks once for each folder whether you trust it. setup adds one entry, for our workspace,
to your .claude.json. With an API key or a token in the environment nothing needs to be done. It says which files it will
touch, shows the change and asks; what else stands in them stays byte for byte, and \`dispatch uninstall\` takes it back.
`,
  options: {
    hooks: {
      type: 'boolean',
      about: 'also tell me of claude sessions that dispatch did not launch: two hooks in your settings.json',
    },
    yes: { type: 'boolean', about: 'do not ask' },
  },
  async run(values) {
    const config = readConfig()
    await refuseAgent('setup', 'Run it yourself: it writes in files of yours.')
    makePrivateFolder(config.workspace)
    const touched = [...planTrust(config), ...(values.hooks ? [planHooks(config)] : [])].map(
      ({ file, additions, reason }) => ({
        file,
        additions,
        why: reason,
        ...toTexts(previewInstall(resolveJournal(config.home), file, additions)),
      }),
    )
    const open = touched.filter(({ before, after }) => before !== after)
    for (const { file } of touched.filter(one => !open.includes(one))) print(`${file} has it already. Nothing to do.`)
    if (open.length > 0) {
      print(`dispatch will write in ${open.length === 1 ? 'this file' : 'these files'} of yours, and in no other:\n`)
      for (const { file, why } of open) print(`  ${file}\n    ${why}`)
      for (const { file, before, after } of open) print(`\n${paintDiff(file, before, after)}`)
      print()
      for (const { file, before } of open) warnAboutComments(file, before)
      if (!values.yes && !(await confirmAction('Write it?', 'setup'))) return printDone('Nothing was changed.')
      for (const { file, additions } of open) await installEntries(resolveJournal(config.home), file, additions)
    }
    if (values.hooks) createExternalFolder(config.home)
    return open.length > 0 ? printDone('Done. `dispatch uninstall` takes it back.') : exitCodes.ok
  },
})

interface PlannedChange {
  file: string
  reason: string
  additions: JsonEntry[]
}

/** One entry for the folder above every session; none when a key needs none or a folder above is trusted. */
function planTrust(config: Config): PlannedChange[] {
  const login = detectLogin(config.claudeFolder)
  if (login.kind === 'key') {
    print(`A key or token is in the environment: claude runs with a config of its own in ${config.claudeFolder}.`)
    print('For that, nothing of yours is touched.')
    return []
  }
  if (isTrusted(readClaudeConfig(login.configFile), config.workspace)) {
    print(`${login.configFile} trusts ${config.workspace} already. Nothing to do.`)
    return []
  }
  const reason = 'claude is to trust our workspace; every session lies in it, so one entry serves them all'
  return [{ file: login.configFile, reason, additions: [createTrustEntry(config.workspace)] }]
}

function planHooks(config: Config): PlannedChange {
  const reason = 'sessions that dispatch did not launch say when they end or wait; the watchdog pushes that'
  return { file: findUserSettings(), reason, additions: buildExternalHooks(config) }
}

/** Claude reads plain JSON only, and says of a settings file that is none no more than a line (docs/decisions/0014). */
function warnAboutComments(file: string, text: string | undefined): void {
  if (path.basename(file) !== 'settings.json' || !text?.trim()) return
  try {
    JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    print(paint('yellow', `${file} has comments or trailing commas. They stay; but claude 2.1 reads no such file:`))
    print(paint('yellow', 'nothing in it is in effect, these hooks included, until they are gone.\n'))
  }
}

function toTexts({ before, after }: { before: Buffer | undefined; after: Buffer | undefined }) {
  return { before: before?.toString(), after: after?.toString() }
}

function printDone(text: string): number {
  print(text)
  return exitCodes.ok
}
