import { exitCodes } from '#host/error.ts'
import { listKnownSecrets, redactSecrets } from '#host/secrets'
import { describeVoidReason, listChangesSinceVerdict } from '#session/repository'
import { readView } from '#session/status'
import { type Matrix, readMatrix, renderMatrix, voidMatrix } from '#session/traceability'
import { renderMatrixHtml } from '#webui'
import { defineCommand } from '../command.ts'
import { readConfigOrDefaults } from '../input/config-or-defaults.ts'
import { pickSession } from '../input/pick-session.ts'
export const command = defineCommand({
  about: `
From each sentence of the task to the clauses that cover it, how each was proved, what was seen before and after, and the
verdict; then what nobody covers. As Markdown that fits into a comment of a pull request, without secrets. Without an id: the
newest session.

    dispatch matrix | gh pr comment -F -
`,
  options: {
    html: { type: 'boolean', about: 'one HTML page that needs no other file' },
    json: { type: 'boolean', about: 'one JSON object' },
  },
  async run(values, words) {
    const config = readConfigOrDefaults()
    const session = pickSession(config, words[0])
    const view = await readView(session)
    const why = describeVoidReason(await listChangesSinceVerdict(session.paths, view.status)) // Whether a runner has said so or not.
    const read = readMatrix(view)
    const matrix = redactMatrix(why === undefined ? read : voidMatrix(read, why), listKnownSecrets(config))
    if (values.json) process.stdout.write(`${JSON.stringify(matrix, null, 2)}\n`)
    else process.stdout.write(values.html ? renderMatrixHtml(matrix) : renderMatrix(matrix))
    return matrix.damage.length > 0 ? exitCodes.integrity : exitCodes.ok
  },
})

/** It is made to be pasted where others read it. */
function redactMatrix(matrix: Matrix, knownSecrets: string[]): Matrix {
  return JSON.parse(JSON.stringify(matrix), (_, value) =>
    typeof value === 'string' ? redactSecrets(value, knownSecrets).text : value,
  )
}
