import { exitCodes } from '#host/error.ts'
import { readView } from '#session/status'
import { renderMatrix } from '#session/traceability'
import { renderMatrixHtml } from '#webui'
import { defineCommand } from '../command.ts'
import { pickSession, readConfigOrDefaults } from '../input/session.ts'
import { readPublishedMatrix } from '../output/published-matrix.ts'

export const command = defineCommand({
  about: `
Prints the traceability matrix: each sentence of the task, the clauses that cover it, their checks, the outcomes before and
after, and the verdict; then what is not covered. It is Markdown for a comment on a pull request, without secrets. Without
an id: the newest session.

    dispatch matrix | gh pr comment -F -
`,
  options: {
    html: { type: 'boolean', about: 'print one HTML page that needs no other file' },
    json: { type: 'boolean', about: 'print JSON instead of text' },
  },
  forms: {
    options: { '[sid]': ['json'], '[sid] --html': ['html'] },
    choose: ({ html }) => (html ? '[sid] --html' : '[sid]'),
  },
  async run(values, [name]) {
    const config = readConfigOrDefaults()
    const matrix = await readPublishedMatrix(config, await readView(pickSession(config, name)))
    if (values.json) process.stdout.write(`${JSON.stringify(matrix, null, 2)}\n`)
    else process.stdout.write(values.html ? await renderMatrixHtml(matrix) : renderMatrix(matrix))
    return matrix.damage.length > 0 ? exitCodes.integrity : exitCodes.ok
  },
})
