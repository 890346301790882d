import { findProgram } from '../exec.ts'
import type { InstallStep } from './install-step.ts'

/** The programs of package tools in these commands that are not on this machine, each with how to install it. */
export function listMissingPrograms(commands: string[], isInstalled = isOnPath): string[] {
  const words = commands.flatMap(command =>
    command.split(/&&|\|\||[;|]/).map(
      part =>
        part
          .trim()
          .replace(/^(\w+=\S*\s+)*/, '')
          .split(/\s+/)[0] ?? '',
    ),
  )
  return [...new Set(words)].flatMap(word => {
    const hint = installHints[word]
    return hint === undefined || isInstalled(word) ? [] : [`${word} is not on this machine: ${hint}`]
  })
}

/**
 * The step as it runs here: Node brings corepack, which knows pnpm and yarn in the version that the project names, also where
 * they are not installed.
 */
export function useCorepack(step: InstallStep, isInstalled: (name: string) => boolean = isOnPath): InstallStep {
  const { program } = step
  if (!['pnpm', 'yarn'].includes(program) || isInstalled(program) || !isInstalled('corepack')) return step
  return { ...step, command: step.command.replace(new RegExp(`(^|&& )${program} `), `$1corepack ${program} `) }
}

// --- internal ---

function isOnPath(name: string): boolean {
  return findProgram(name) !== ''
}

const byPackage = (linux: string, mac = linux) =>
  process.platform === 'darwin' ? `\`brew install ${mac}\`` : `\`apt-get install ${linux}\``

const installHints: Record<string, string> = {
  npm: `install Node.js, ${byPackage('npm', 'node')}`,
  node: byPackage('nodejs', 'node'),
  corepack: '`npm install --global corepack`',
  pnpm: '`npm install --global pnpm`',
  yarn: '`npm install --global yarn`',
  bun: '`npm install --global bun`',
  uv: '`pipx install uv`',
  poetry: '`pipx install poetry`',
  pdm: '`pipx install pdm`',
  pipenv: '`pipx install pipenv`',
  python3: byPackage('python3 python3-venv', 'python'),
  go: byPackage('golang-go', 'go'),
  cargo: 'install Rust with rustup',
  bundle: '`gem install bundler`',
  composer: byPackage('composer'),
  mvn: byPackage('maven'),
  gradle: byPackage('gradle'),
  dotnet: 'install the .NET SDK',
  mix: byPackage('elixir'),
  make: byPackage('make'),
}
