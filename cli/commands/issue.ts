import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { defineCommand } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { issueForms, issueOptions, parseIssueNumber } from '../input/issue-options.ts'
import { connectCheckout } from '../issues/connect.ts'
import { queueIssue, refuseStarted, startIssueNow, takeForPerson } from '../issues/open-issue.ts'
import { releaseIssue } from '../issues/release.ts'
import { getKey } from '../issues/take-issue.ts'
import { printTaken, summarizeIssue } from '../output/issue-view.ts'
import { printWarning } from '../output/launch-view.ts'
import { print } from '../output/terminal.ts'
import { refusePause } from '../queue/pause.ts'

export const command = defineCommand({
  about: `
Claims an issue on GitHub, and puts it into the queue. Its text, and the comments of owners, members and collaborators until now, are
the task; words of others are ignored and listed. The claim is a branch (dispatch/issue-42) and one comment, which shows the progress.
No other machine takes it then. See docs/issues.md.

  dispatch issue 42                  claim it, and put it into the queue
  dispatch issue 42 --now            claim it, and start its session
  dispatch issue 42 --release        give it back
  dispatch issue 42 --take-over      claim it from a machine that is gone
`,
  usage: 'issue <number> [options]',
  options: issueOptions,
  forms: issueForms,
  async run(values, [text = '']) {
    const number = parseIssueNumber(text)
    const config = readConfig()
    await refuseAgent('issue')
    if (values.now)
      refusePause(config, false, `End the pause: dispatch unpause. Have it start later: dispatch issue ${number}`)
    const place = await connectCheckout(config, values.repo ?? '.', values.remote)
    if (values.release) {
      const left = await releaseIssue(config, getKey(place.forge, number))
      if (values.json) print(JSON.stringify({ issue: number, state: 'given back', left }))
      else print(`#${number} is given back.${left.map(each => ` Left: ${each}.`).join('')}`)
      return exitCodes.ok
    }
    const say = (line: string) => (values.json ? undefined : printWarning(line))
    const taken = await takeForPerson(config, place, number, values, say)
    const { record, isNew } = taken
    const startsNow = values.now && isNew
    const shown = startsNow ? taken : { ...taken, record: await queueIssue(config, record) }
    if (values.now && !isNew) refuseStarted(config, shown.record)
    if (!values.json) printTaken(shown)
    if (startsNow) return startIssueNow(config, place, taken, values)
    if (values.json) print(JSON.stringify({ ...summarizeIssue(shown.record), isNew, ignored: taken.ignored }))
    return exitCodes.ok
  },
})
