/** `npm run docs:record`: record both walks in `docs/walk-*.md`. */
import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { walks } from './list.ts'
import { recordWalk } from './record-walk.ts'

for (const [name, walk] of Object.entries(walks)) {
  const steps = await recordWalk(walk)
  const introduction = {
    python:
      'A Python project of fifty files, with a dependency, tests, an ignored file that the tests need, a CLAUDE.md, and its own claude settings. A person approves the contract.',
    typescript:
      'A TypeScript project of fifty files, with a dependency, tests, an AGENTS.md, and its own claude settings. The first attempt fails.',
  }[name]
  const text = [
    `# A walk: ${name}`,
    introduction,
    'Each screen is what a person sees in a terminal of 110 columns, recorded by `npm run docs:record`. The models are scripted, everything else is real. Temporary folders are shortened.',
    ...steps.map(({ title, screen }) => `## ${title}\n\n\`\`\`\n${screen.replaceAll('```', "'''")}\n\`\`\``),
  ]
  fs.writeFileSync(path.join(installFolder, 'docs', `walk-${name}.md`), `${text.join('\n\n')}\n`)
  process.stdout.write(`docs/walk-${name}.md: ${steps.length} screens\n`)
}
