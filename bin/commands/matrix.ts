import { exits, heldSecrets, withoutSecrets } from '../../host/index.ts'
import {
  changedSinceVerdict,
  type Matrix,
  readMatrix,
  renderMatrix,
  viewOf,
  voidBy,
  voided,
} from '../../session/index.ts'
import { matrixHtml } from '../../webui/index.ts'
import { chosen } from '../chosen.ts'
import { defineCommand } from '../command.ts'
import { lenientConfig } from '../lenient.ts'

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
    const config = lenientConfig()
    const session = chosen(config, words[0])
    const view = await viewOf(session)
    const why = voidBy(await changedSinceVerdict(session.paths, view.status)) // Whether a runner has said so or not.
    const read = readMatrix(view)
    const matrix = clean(why === undefined ? read : voided(read, why), heldSecrets(config))
    if (values.json) process.stdout.write(`${JSON.stringify(matrix, null, 2)}\n`)
    else process.stdout.write(values.html ? matrixHtml(matrix) : renderMatrix(matrix))
    return matrix.damage.length > 0 ? exits.integrity : exits.ok
  },
})

/** It is made to be pasted where others read it. */
function clean(matrix: Matrix, held: string[]): Matrix {
  return JSON.parse(JSON.stringify(matrix), (_, value) =>
    typeof value === 'string' ? withoutSecrets(value, held).text : value,
  )
}
