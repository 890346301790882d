import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { addReport, OrchestratorCost, recordCost } from '#runner/orchestrator/cost.ts'
import { refuseOverBudget } from '#runner/workers/budget.ts'
import { createWatchedSession } from '../../fixtures/watched-session.ts'

test('what another claude of the session reports is added', () => {
  const add = (before: Parameters<typeof addReport>[0], usd: number) => {
    const { runUsd, ...cost } = addReport(before, { usd, unpricedModel: undefined })
    return { usd: cost.usd, runUsd, unpricedModel: undefined }
  }
  const first = add(undefined, 0.1)
  const second = add(first, 0.3)
  assert.deepEqual(second, { usd: 0.3, runUsd: 0.3, unpricedModel: undefined })
  assert.equal(add(second, 0.5).usd, 0.5, 'claude counts on after a resume')
  const restarted = add(second, 0.2)
  assert.equal(restarted.usd, 0.5)
  assert.equal(add(restarted, 0.25).usd, 0.55)
})

test('a report is recorded, then at most once a minute, and at the end', t => {
  const { context, recorded, report } = createReportingSession(t)
  const cost = new OrchestratorCost()
  cost.check(context)
  report(0) // Claude sends this before the first answer.
  cost.check(context)
  assert.deepEqual(recorded, [])
  report(0.1)
  cost.check(context)
  cost.check(context)
  report(0.2)
  cost.check(context)
  assert.deepEqual(recorded, [{ type: 'cost.reported', usd: 0.1, runUsd: 0.1 }])
  recordCost(context)
  recordCost(context)
  assert.deepEqual(recorded.slice(1), [{ type: 'cost.reported', usd: 0.2, runUsd: 0.2 }])
  assert.equal(context.status.orchestratorCost?.usd, 0.2)
})

test('a report that spends the budget is recorded at once, and the budget counts it', t => {
  const { context, recorded, report } = createReportingSession(t, { BUDGET_USD: 1 })
  const cost = new OrchestratorCost()
  report(0.1)
  cost.check(context)
  assert.equal(refuseOverBudget(context), undefined)
  report(1.5)
  cost.check(context)
  assert.deepEqual(recorded.at(-1), { type: 'cost.reported', usd: 1.5, runUsd: 1.5 })
  assert.notEqual(refuseOverBudget(context), undefined)
  assert.deepEqual(recorded.at(-1), { type: 'budget.reached', spentUsd: 1.5, budgetUsd: 1 })
})

test('a report of an agent is untrusted', t => {
  const { context, recorded, report } = createReportingSession(t)
  const { costReport } = context.session.paths
  report(7)
  fs.renameSync(costReport, `${costReport}.real`)
  for (const place of [() => fs.symlinkSync(`${costReport}.real`, costReport), () => fs.mkdirSync(costReport)]) {
    place()
    new OrchestratorCost().check(context)
    fs.rmSync(costReport, { recursive: true })
  }
  fs.writeFileSync(costReport, `${' '.repeat(70_000)}${fs.readFileSync(`${costReport}.real`)}`)
  new OrchestratorCost().check(context)
  assert.deepEqual(recorded, [])
})

/** A session, and a function that leaves a report as claude's status line does. */
function createReportingSession(t: TestContext, settings: { BUDGET_USD?: number } = {}) {
  const { context, recorded } = createWatchedSession(t)
  Object.assign(context.config, settings)
  const report = (usd: number) => {
    fs.mkdirSync(path.dirname(context.session.paths.costReport), { recursive: true })
    const content = { model: { id: 'claude-x' }, cost: { total_cost_usd: usd } }
    fs.writeFileSync(context.session.paths.costReport, JSON.stringify(content))
  }
  return { context, recorded, report }
}
