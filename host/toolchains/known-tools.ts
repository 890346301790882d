/** A tool that keeps compilers or interpreters in a folder of the user's, and finds them by HOME or by a variable. */
export interface ToolchainKind {
  name: string
  /** By which the tool finds its folder. Without one it needs no variable, only that the folder can be read. */
  variable?: string
  /** A value of the variable that is no folder. It is passed on as it is. */
  word?: string
  /** What prints the folder, and where it is in the output, if the output is not the folder alone. */
  ask?: string[]
  answer?: RegExp
  /** It is asked only if none of `places` is used: without the variable, it says the first of them. */
  isAskedLast?: boolean
  /** Where the folder is if nothing else says so, from the home: the first that exists. */
  places: string[]
  /** What prints more folders for the end of PATH: the versions that the user has chosen for everywhere. */
  askPath?: string[]
  /** Variables by which the user chooses a version in the shell. They are passed on as they are. */
  choices?: RegExp
  /** Variables that the tool needs in a copy of the repository. */
  settings?: Record<string, string>
  /** Files of the home with the version for everywhere. */
  homeFiles?: string[]
  /** The versions in the folder. Each may be a link to where it really is. */
  linkedVersions?: string
  /** What changes in the folder when a version is installed, updated or chosen. `*` is any name. */
  state: string[]
  /** Programs whose results depend on it, as commands name them. */
  programs: RegExp
  /** What its programs say when they cannot find a version. */
  complaint?: RegExp
  /** A setup makes a folder of its own, which then counts. With `if empty` it uses the folder of the user if anything is in it. */
  isMadeBySetup?: true | 'if empty'
}

/** `$XDG_DATA_HOME` counts instead of `.local/share`, and `$XDG_CACHE_HOME` instead of `.cache`, where they are set. */
export const toolchainKinds: ToolchainKind[] = [
  {
    name: 'rustup',
    variable: 'RUSTUP_HOME',
    ask: ['rustup', 'show', 'home'],
    places: ['.rustup'],
    choices: /^RUSTUP_TOOLCHAIN$/,
    // The folder is read-only, so rustup should say which toolchain is missing and not try to install it.
    settings: { RUSTUP_AUTO_INSTALL: '0' },
    linkedVersions: 'toolchains/*',
    state: ['settings.toml', 'toolchains/*', 'update-hashes/*'],
    programs: /^(cargo|rustc|rustfmt|rustdoc|clippy-driver)$/,
    complaint:
      /rustup could not choose a version of|^error: (?:override )?toolchain '.*' is not installed|^error: could not download file from .https:\/\/static\.rust-lang\.org\//m,
  },
  ...['pyenv', 'rbenv', 'nodenv', 'goenv'].map(name => ({
    name,
    variable: `${name.toUpperCase()}_ROOT`,
    ask: [name, 'root'], // A shell script that takes 20 ms, which each start would wait for.
    isAskedLast: true,
    places: [`.${name}`],
    choices: new RegExp(`^${name.toUpperCase()}_VERSION$`),
    linkedVersions: 'versions/*',
    state: ['version', 'versions/*'],
    programs:
      { pyenv: /^(python|pip)/, rbenv: /^(ruby|bundle|gem|rake|rspec)/, goenv: /^go$/ }[name] ?? getNodePrograms(),
    complaint: new RegExp(`^${name}: (.*command not found|version .* is not installed)`, 'm'),
  })),
  {
    name: 'nvm',
    variable: 'NVM_DIR',
    places: ['.nvm', '.config/nvm'],
    state: ['alias/default', 'versions/node/*'],
    programs: getNodePrograms(),
  },
  {
    name: 'fnm',
    variable: 'FNM_DIR',
    places: ['.local/share/fnm', 'Library/Application Support/fnm', '.fnm'],
    state: ['aliases/*', 'node-versions/*'],
    programs: getNodePrograms(),
  },
  {
    name: 'volta',
    variable: 'VOLTA_HOME',
    places: ['.volta'],
    choices: /^VOLTA_FEATURE_\w+$/,
    state: ['tools/user/platform.json', 'tools/image/*/*'],
    programs: getNodePrograms(),
    complaint: /^Volta error: (Node is not available|.*Could not)/m,
  },
  {
    name: 'asdf',
    variable: 'ASDF_DATA_DIR',
    ask: ['asdf', 'info'],
    answer: /^ASDF_DATA_DIR=(.+)$/m,
    places: ['.asdf'],
    choices: /^ASDF_(DIR|(?!TOOL_)\w+_VERSION)$/,
    homeFiles: ['.tool-versions', '.asdfrc'],
    state: ['installs/*/*', 'plugins/*'],
    programs: /./,
    complaint: /^No version is set for command /m,
  },
  {
    name: 'mise',
    variable: 'MISE_DATA_DIR',
    places: ['.local/share/mise'],
    askPath: ['mise', 'bin-paths'],
    choices: /^MISE_\w+_VERSION$/,
    // Its configuration in the repository is as trustworthy as the command that is run there.
    settings: { MISE_TRUSTED_CONFIG_PATHS: '/' },
    linkedVersions: 'installs/*/*',
    state: ['installs/*/*'],
    programs: /./,
    complaint: /No version is set for shim: |is not a valid shim\./,
  },
  {
    name: 'sdkman',
    variable: 'SDKMAN_DIR',
    places: ['.sdkman'],
    linkedVersions: 'candidates/*/*',
    state: ['candidates/*/*'],
    programs: getJavaPrograms(),
  },
  {
    name: 'uv python',
    variable: 'UV_PYTHON_INSTALL_DIR',
    ask: ['uv', 'python', 'dir'],
    places: ['.local/share/uv/python'],
    choices: /^UV_PYTHON(_PREFERENCE)?$/,
    state: ['*'],
    programs: /^(uv|uvx|python)/,
    complaint: /^error: No interpreter found for Python/m,
    isMadeBySetup: 'if empty',
  },
  {
    name: 'corepack',
    variable: 'COREPACK_HOME',
    places: ['.cache/node/corepack'],
    state: ['v1/*/*', 'lastKnownGood.json'],
    programs: /^(corepack|pnpm|yarn)$/,
    complaint: /Error when performing the request to https?:\/\/\S*(?:pnpm|yarn)/,
    isMadeBySetup: true,
  },
  {
    name: 'playwright',
    variable: 'PLAYWRIGHT_BROWSERS_PATH',
    word: '0', // The browsers are in node_modules.
    places: ['.cache/ms-playwright', 'Library/Caches/ms-playwright'],
    state: ['*'],
    programs: /^playwright$/,
    isMadeBySetup: true,
  },
  // Programs in ~/.local/bin are links into these.
  {
    name: 'uv tools',
    variable: 'UV_TOOL_DIR',
    ask: ['uv', 'tool', 'dir'],
    places: ['.local/share/uv/tools'],
    state: ['*'],
    programs: getPythonTools(),
  },
  {
    name: 'pipx',
    variable: 'PIPX_HOME',
    places: ['.local/share/pipx', '.local/pipx'],
    state: ['venvs/*'],
    programs: getPythonTools(),
  },
  {
    name: 'poetry',
    places: ['.local/share/pypoetry', 'Library/Application Support/pypoetry'],
    state: ['venv/pyvenv.cfg'],
    programs: /^poetry$/,
  },
  { name: 'pnpm', places: ['.local/share/pnpm', 'Library/pnpm'], state: ['*', '.tools/*/*'], programs: /^pnpm$/ },
  { name: '~/.local/lib', places: ['.local/lib'], state: ['*', 'node_modules/*'], programs: getPythonTools() },
  // These have no place of their own: a shell that uses them names them.
  ...[
    'JAVA_HOME',
    'MAVEN_HOME',
    'GRADLE_HOME',
    'GOROOT',
    'DOTNET_ROOT',
    'ANDROID_HOME',
    'ANDROID_SDK_ROOT',
    'FLUTTER_ROOT',
  ].map(createNamedKind),
  {
    name: 'go',
    places: [],
    choices: /^GOTOOLCHAIN$/,
    state: [],
    programs: /^go$/,
    complaint: /^go: (?:download go\d\S*(?: for \S+)?: |.* requires go >= .*; GOTOOLCHAIN=local\))/m,
  },
]

/** A folder that only a variable leads to, such as one that a project names. */
export function createNamedKind(variable: string): ToolchainKind {
  return { name: variable, variable, places: [], state: ['*', 'bin/*'], programs: /./ }
}

function getNodePrograms(): RegExp {
  return /^(node|npm|npx|pnpm|yarn|corepack)$/
}

function getPythonTools(): RegExp {
  return /^(poetry|pdm|pipenv|hatch|tox|nox|pre-commit|ruff|mypy|pytest)$/
}

function getJavaPrograms(): RegExp {
  return /^(java|javac|mvn|gradle|kotlinc?|scala|sbt)$/
}
