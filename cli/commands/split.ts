import { readConfig } from '#host/config'
import { exitCodes } from '#host/error.ts'
import { defineCommand, UsageError } from '../command.ts'
import { abortAtEndSignal } from '../end-signal.ts'
import { confirmAction, isAtTerminal, refuseAgent } from '../input/confirm.ts'
import { parseIssueNumber } from '../input/issue-options.ts'
import { resolveSandbox } from '../input/sandbox-options.ts'
import { splitForms, splitOptions } from '../input/split-options.ts'
import { connectCheckout } from '../issues/connect.ts'
import { describeIgnored } from '../output/issue-view.ts'
import { printAccepted, printProposal } from '../output/split-view.ts'
import { print } from '../output/terminal.ts'
import { acceptAlone, requireProposal } from '../split/accept.ts'
import { editProposal, removeEdit } from '../split/edit.ts'
import { proposeSplit } from '../split/propose.ts'

export const command = defineCommand({
  about: `
Has an agent propose how an issue on GitHub could be split into 2 to 8 smaller ones, and shows that. It reads the issue and a copy of
the repository, and can change nothing. Only when you accept it, the issues are made, as sub-issues. None of them starts by itself.

  dispatch split 42                  propose, and show it
  dispatch split 42 --accept         show the proposal, ask, and make the issues
  dispatch split 42 --accept --edit  the same, after you have changed it
`,
  usage: 'split <number> [options]',
  options: splitOptions,
  forms: splitForms,
  async run(values, [text = '']) {
    const number = parseIssueNumber(text)
    if (values.accept && values.json && !values.yes)
      throw new UsageError('--accept with --json needs --yes', 'Read the proposal first, then add --yes.')
    if (values.edit && !isAtTerminal()) throw new UsageError('--edit needs a terminal')
    const config = readConfig()
    await refuseAgent('split')
    const say = (line: string) => process.stderr.write(`${line}\n`)
    const { forge, checkout } = await connectCheckout(config, values.repo ?? '.', values.remote)
    if (!values.accept) {
      const sandbox = await resolveSandbox(config, values.sandbox)
      const request = { forge, checkout, number, model: values.model ?? config.ORCHESTRATOR_MODEL, sandbox, say }
      const { record, ignored } = await proposeSplit(config, { ...request, end: abortAtEndSignal() })
      for (const line of values.json ? [] : describeIgnored(ignored)) print(line)
      if (values.json) print(JSON.stringify({ ...record, ignored }))
      else printProposal(record, 'Nothing is on GitHub yet')
      return exitCodes.ok
    }
    const kept = await requireProposal(config, forge, number)
    const edit = values.edit ? await editProposal(kept) : undefined
    const record = { ...kept, issues: edit?.issues ?? kept.issues }
    if (!values.json) printProposal(record)
    if (edit !== undefined) say(`What you wrote is in ${edit.file} until it is accepted.`)
    const question = `Make these ${record.issues.length} issues on GitHub?`
    if (!values.yes && !(await confirmAction(question, `split ${number} --accept`))) print('Nothing was changed.')
    else {
      const accepted = await acceptAlone(config, forge, kept, edit?.issues)
      if (edit !== undefined) removeEdit(edit)
      if (values.json) print(JSON.stringify({ ...accepted.record, kind: accepted.kind }))
      else printAccepted(accepted)
    }
    return exitCodes.ok
  },
})
