/** `npm run docs:record`: record both walks in `docs/walk-*.md`, a night in `docs/night.md`, and landings at the end of `docs/landing.md`. */
import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '#host/config'
import { walks } from './list.ts'
import { recordLanding } from './record-landing.ts'
import { recordNight } from './record-night.ts'
import { recordWalk } from './record-walk.ts'

const only = process.argv[2] // `npm run docs:record -- night`
const isWanted = (name: string) => only === undefined || only === name

for (const [name, walk] of Object.entries(walks).filter(([name]) => isWanted(name))) {
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

if (isWanted('night')) {
  const { lines, isAsItShouldBe } = await recordNight()
  if (!isAsItShouldBe) throw new Error(lines.join('\n'))
  const headings = ['In the evening', 'In the night', 'In the morning']
  const night = lines.map(line => (headings.includes(line) ? `\`\`\`\n\n## ${line}\n\n\`\`\`` : line)).join('\n')
  const introduction = [
    '# A night',
    'Twelve tasks wait in the queue, and three may run at once. One meets the usage limit, one never ends, one asks a question, one needs your approval. Meanwhile the machine is switched off and on, and its disk is full for ten seconds. `dispatch rehearse night` plays the same on your machine, without the disk. The models are scripted, everything else is real. The times are minutes and seconds; recorded by `npm run docs:record`.',
  ]
  const text = `${introduction.join('\n\n')}\n\n${night.replace(/^```\n\n/, '')}\n\`\`\`\n`
  fs.writeFileSync(
    path.join(installFolder, 'docs/night.md'),
    text.replace(/\n{3,}/g, '\n\n').replaceAll('```\n\n$', '```\n$'),
  )
  process.stdout.write('docs/night.md\n')
}

if (isWanted('landing')) {
  const steps = await recordLanding()
  const file = path.join(installFolder, 'docs/landing.md')
  const heading = '## On the screen'
  const [before = ''] = fs.readFileSync(file, 'utf8').split(heading)
  const text = [
    `${before.trimEnd()}\n\n${heading}`,
    'Recorded by `npm run docs:record`, with scripted models. Temporary folders are shortened.',
    ...steps.map(({ title, screen }) => `### ${title}\n\n\`\`\`\n${screen}\n\`\`\``),
  ]
  fs.writeFileSync(file, `${text.join('\n\n')}\n`)
  process.stdout.write(`docs/landing.md: ${steps.length} screens\n`)
}
