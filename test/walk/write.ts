/** Write what the walks show to `docs/walk-*.md`: `npm run docs:record`. */
import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { runWalk } from './walk.ts'
import { walks } from './walks.ts'

for (const [name, wanted] of Object.entries(walks)) {
  const screens = await runWalk(wanted)
  const words = {
    python:
      'A project of fifty files in Python, with a dependency, tests, an ignored file that the tests need, a CLAUDE.md, and claude settings of its own. The contract is approved by hand.',
    typescript:
      'A project of fifty files in TypeScript, with a dependency, tests, an AGENTS.md, and claude settings of its own. The first try is not good enough.',
  }[name]
  const text = [
    `# A walk: ${name}`,
    words,
    'Every screen is what a person saw at a real terminal (110 columns), recorded by `npm run docs:record`. The models are scripted; all else is real. Only temporary folders are shortened.',
    ...screens.map(({ title, screen }) => `## ${title}\n\n\`\`\`\n${screen.replaceAll('```', "'''")}\n\`\`\``),
  ]
  fs.writeFileSync(path.join(installFolder, 'docs', `walk-${name}.md`), `${text.join('\n\n')}\n`)
  process.stdout.write(`docs/walk-${name}.md: ${screens.length} screens\n`)
}
