import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { defineCommand, listActions, UsageError } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { isHeld, listRecords } from '../issues/record.ts'
import { runIssueWatch } from '../issues/run-watch.ts'
import { parseIssueQuery } from '../issues/source.ts'
import { printIssues, summarizeIssue } from '../output/issue-view.ts'
import { print } from '../output/terminal.ts'

const forms = {
  options: { ls: ['all', 'json'], watch: ['label', 'milestone', 'repo', 'remote', 'once', 'json'] },
} as const

export const command = defineCommand({
  about: `
Shows the issues on GitHub that this machine has claimed, or takes issues by themselves: those with a label that a person set who may
write to the repository, or whose author is owner, member or collaborator. GitHub is asked once a minute. See docs/issues.md.

  dispatch issues                        what is claimed (--all: also what was)
  dispatch issues watch --label NAME     what has this label, the oldest first
  dispatch issues watch --milestone v2   one after the other, by number
`,
  usage: 'issues [action] [options]',
  options: {
    label: {
      type: 'string',
      value: 'LABEL',
      about: 'with watch: the label that releases an issue (default: dispatch)',
    },
    milestone: { type: 'string', value: 'NAME', about: 'with watch: the issues of this milestone instead' },
    repo: { type: 'string', value: 'DIR', about: 'with watch: the checkout (default: the one of the current folder)' },
    remote: {
      type: 'string',
      value: 'REMOTE',
      about: 'with watch: the remote whose issues are meant (default: origin)',
    },
    once: { type: 'boolean', about: 'with watch: look once' },
    all: { type: 'boolean', about: 'with ls: also what was given back, lost or has ended' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  forms,
  choices: { action: () => listActions(forms) },
  async run({ label, milestone, repo = '.', remote, once, all, json }, [action = 'ls']) {
    const config = readConfig()
    if (action === 'ls') {
      const records = listRecords(config.home).filter(record => all || isHeld(record))
      if (json) print(JSON.stringify({ issues: records.map(summarizeIssue) }))
      else printIssues(records)
      return exitCodes.ok
    }
    if (label !== undefined && milestone !== undefined)
      throw new UsageError('--label and --milestone contradict each other', 'Use only one of them.')
    await refuseAgent('issues')
    const query = parseIssueQuery(milestone === undefined ? `label:${label ?? 'dispatch'}` : `milestone:${milestone}`)
    if (query === undefined) throw new UsageError('--label and --milestone need a name', 'Name one.')
    return runIssueWatch(config, { folder: repo, remote, query }, { once: once ?? false, json: json ?? false })
  },
})
