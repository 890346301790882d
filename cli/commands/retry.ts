import fs from 'node:fs'
import { readConfig } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { findSession, refuseNewerFormat } from '#session'
import { readBaseBranch } from '#session/landing'
import { isSettled } from '#session/status'
import { defineCommand } from '../command.ts'
import { refuseAgent } from '../input/confirm.ts'
import { readSettings, refuseMissingRepository } from '../input/earlier-attempt.ts'
import { readStatus } from '../input/session.ts'
import { readTextInput } from '../input/task-input.ts'
import { taskOptions } from '../input/task-options.ts'
import { startTask } from '../start-task.ts'

const { file: _file, repo: _repo, 'no-repo': _noRepo, retry: _retry, queue: _queue, ...sessionOptions } = taskOptions

export const command = defineCommand({
  about: `
Starts a new session with the task of an earlier one, from the same commit and for the same branch. Its orchestrator gets
what came of the earlier one: the verdict, the findings of its judge, and what you add. The earlier session stays as it is. Its
models and its other options count again, unless you give others.
`,
  usage: 'retry <sid> [more context…] [options]',
  options: {
    newest: {
      type: 'boolean',
      about: 'start from the current commit of the repository, or of the branch on which the work did not land',
    },
    ...sessionOptions,
  },
  async run(values, [id = '', ...words]) {
    const config = readConfig()
    await refuseAgent('retry')
    const session = findSession(config.workspace, id)
    refuseNewerFormat(session)
    if (!isSettled(readStatus(session)))
      throw new DispatchError(`session ${session.id} has not ended`, {
        exitCode: exitCodes.conflict,
        remedy: `Wait for it, or end it first: dispatch stop ${session.id.slice(-4)}`,
      })
    refuseMissingRepository(session)
    const context =
      words.length === 0
        ? ''
        : (
            await readTextInput(undefined, [words.join(' ')], {
              name: 'context',
              remedy: 'Leave it out, or write a text.',
            })
          ).toString()
    const { repository } = session.manifest
    const options = {
      ...(await readSettings(session)),
      ...values,
      retry: session.id,
      ...(repository === null ? { 'no-repo': true } : { repo: repository.path }),
    }
    const { landing } = readStatus(session)
    const hasNotLanded = repository !== null && landing?.target !== undefined && landing.state !== 'landed'
    if (values.newest && hasNotLanded) Object.assign(options, { 'base-of': session.id })
    const startPoint =
      values.newest || repository === null
        ? undefined
        : { commit: repository.commit, branch: await readBaseBranch(session) }
    const task = fs.readFileSync(session.paths.task)
    return startTask(config, options, { task, context, startPoint, earlier: session })
  },
})
