import { listSessions } from '#session'
import { defineCommand } from '../command.ts'
import { pickSession, readConfigOrDefaults } from '../input/session.ts'
import { printCost, printCostTable } from '../output/cost-view.ts'
import { print } from '../output/terminal.ts'
import { readCost, sumByDay, sumCosts } from '../session-cost.ts'

export const command = defineCommand({
  about: `
Shows what a session has cost, as claude itself reports it: model, time and dollars of each worker, the dollars of the
orchestrator and its tokens by model, and how often the judge was asked. What claude has not reported of a worker, because it
runs or was cut off, is estimated from its tokens. Other dollars that were not reported are not estimated. Claude counts list prices, also where a subscription pays. Without an id: every session, added up by the day on which it was
opened (UTC, as in its id).
`,
  options: { json: { type: 'boolean', about: 'print JSON instead of text' } },
  async run(values, [name]) {
    const config = readConfigOrDefaults()
    if (name !== undefined) {
      const cost = readCost(pickSession(config, name))
      if (values.json) print(JSON.stringify(cost))
      else printCost(cost)
      return
    }
    const costs = listSessions(config.workspace).map(readCost)
    const days = sumByDay(costs)
    if (values.json) print(JSON.stringify({ days, total: sumCosts('total', costs), sessions: costs }))
    else if (costs.length === 0) print('No sessions yet.')
    else printCostTable(costs, days)
  },
})
