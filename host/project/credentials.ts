import os from 'node:os'
import path from 'node:path'
import { readRegularFile } from '../fs/files.ts'

/** A file of the user's home that leads a package tool to a private registry. */
export interface CredentialFile {
  /** Its path, such as `~/.npmrc`. */
  name: string
  /** The hosts of the registries that it names, with their ports if it names them. */
  hosts: string[]
  /** The variables that it refers to, such as `NPM_TOKEN`. */
  variables: string[]
}

/** The files in this home that the tools of these commands read, and that name a registry or contain a login for one. */
export function findCredentialFiles(commands: string[], home = os.homedir()): CredentialFile[] {
  const names = new Set(
    Object.entries(credentialFiles).flatMap(([tool, files]) =>
      commands.some(command => new RegExp(`(?<![\\w:-])${tool}[w3]?(?![\\w-])`).test(command)) ? files : [],
    ),
  )
  return [...names].flatMap(name => {
    const text = readSettings(path.join(home, name))
    const hosts = listRegistryHosts(name, text)
    if (hosts.length === 0 && listSettingSecrets(text).length === 0) return []
    return [{ name: `~/${name}`, hosts: name === '.netrc' ? [] : hosts, variables: listReferredVariables(text) }]
  })
}

/** Where a file is that a project file names, such as `~/.npmrc`. */
export function resolveHomeFile(name: string, home = os.homedir()): string {
  return path.join(home, name.replace(/^~\//, ''))
}

/** The secrets in such a file, so that they can be withheld from what is shown. */
export function readCredentialSecrets(file: string): string[] {
  return listSettingSecrets(readSettings(file))
}

/** The secrets in the settings of a package tool: the text of a file, or `NAME=value` of a variable. Pure. */
export function listSettingSecrets(text: string): string[] {
  const found = [
    ...text.matchAll(SECRET_SETTING),
    ...text.matchAll(SECRET_OF_BUNDLER),
    ...text.matchAll(PASSWORD_IN_ADDRESS),
    ...text.matchAll(TOKEN_IN_ADDRESS),
    ...[...text.matchAll(SECRETS_OF_COMPOSER)].flatMap(([, hosts = '']) => [...hosts.matchAll(/:\s*"([^"]{6,})"/g)]),
  ]
  const values = found.map(([, ...groups]) => groups.find(Boolean) ?? '')
  return [...new Set(values)].filter(value => value !== '' && !VARIABLE_REFERENCE.test(value))
}

/** The variables that a setting of a package tool refers to: `${NAME}`, `${NAME-default}`, `$NAME`, `${env.NAME}`. Pure. */
export function listReferredVariables(text: string): string[] {
  const references =
    /\$\{(?:env\.)?([A-Z_][A-Z0-9_]*)(?::?-[^}]*|\?)?\}|(?<=["'=\s])\$([A-Z_][A-Z0-9_]*)\b|%([A-Z_][A-Z0-9_]*)%/gi
  const names = [...text.matchAll(references)].flatMap(([, ...groups]) => groups.find(Boolean) ?? [])
  return [...new Set(names)].filter(name => !/^(HOME|PATH|USER|PWD|TMPDIR)$/.test(name))
}

/** The hosts that a file of a package tool names as registries, with their ports, without logins. Pure. */
export function listRegistryHosts(name: string, text: string): string[] {
  const withoutComments = text.replace(/^\s*[#;].*$|<!--[\s\S]*?-->/gm, '')
  const found =
    name === '.netrc'
      ? [...withoutComments.matchAll(/\bmachine\s+(\S+)/g)].map(([, host = '']) => host)
      : [
          ...findAddressHosts(withoutComments),
          // npm: `//packages.example.com:4873/:_authToken=…`. Bundler: `BUNDLE_GEMS__EXAMPLE__COM: "user:password"`.
          ...[...withoutComments.matchAll(/^\s*\/\/([\w.-]+(?::\d+)?)\//gm)].map(([, host = '']) => host),
          ...[...withoutComments.matchAll(/^BUNDLE_(?!BUILD__|LOCAL__|MIRROR__)(\w+__\w+):/gm)].map(([, host = '']) =>
            host.toLowerCase().replaceAll('___', '-').replaceAll('__', '.'),
          ),
          ...(name.endsWith('auth.json')
            ? [...withoutComments.matchAll(/"([\w-]+(?:\.[\w-]+)+(?::\d+)?)"\s*:/g)]
            : []
          ).map(([, host = '']) => host),
        ]
  return [...new Set(found)].filter(host => !documentationHosts.test(host))
}

/** The hosts of the addresses in a text, without a user or password. Pure. */
export function findAddressHosts(text: string): string[] {
  return [...text.matchAll(/\b(?:sparse\+)?https?:\/\/(?:[^/@\s"']*@)?([A-Za-z0-9.-]+(?::\d+)?)/g)].map(
    ([, host = '']) => host,
  )
}

// --- internal ---

const MAX_FILE_BYTES = 256 * 1024

/** Where each tool keeps registries and logins, from the home. */
const credentialFiles: Record<string, string[]> = {
  npm: ['.npmrc'],
  pnpm: ['.npmrc', '.config/pnpm/rc', '.config/pnpm/auth.ini'],
  yarn: ['.npmrc', '.yarnrc', '.yarnrc.yml'],
  bun: ['.npmrc', '.bunfig.toml'],
  pip: ['.config/pip/pip.conf', '.pip/pip.conf', '.netrc'],
  uv: ['.config/uv/uv.toml', '.netrc'],
  poetry: ['.config/pypoetry/config.toml', '.config/pypoetry/auth.toml', '.netrc'],
  pipenv: ['.config/pip/pip.conf', '.pip/pip.conf', '.netrc'],
  pdm: ['.config/pdm/config.toml', '.netrc'],
  go: ['.netrc', '.config/go/env'],
  cargo: ['.cargo/config.toml', '.cargo/config', '.cargo/credentials.toml', '.cargo/credentials'],
  bundle: ['.bundle/config', '.gem/credentials'],
  composer: ['.config/composer/auth.json', '.composer/auth.json', '.config/composer/config.json'],
  mvn: ['.m2/settings.xml', '.m2/settings-security.xml'],
  gradle: ['.gradle/gradle.properties', '.gradle/init.gradle', '.m2/settings.xml'],
  dotnet: ['.nuget/NuGet/NuGet.Config'],
}

/** Namespaces of XML and pages that settings refer to. */
const documentationHosts =
  /^(maven\.apache\.org|www\.w3\.org|schemas\.microsoft\.com|json\.schemastore\.org|getcomposer\.org)$/

/** `_authToken=…`, `password: …`, `"token": "…"`, `<password>…`, `login a password …`, `key="ClearTextPassword" value="…"` */
const SECRET_SETTING =
  /(?:_auth|auth_?ident|password|passwd|passphrase|token|secret|api[_-]?key)["']?\s*(?:[=:>]|\s)\s*(?:value=)?(?:"([^"\n]{6,})"|'([^'\n]{6,})'|(\$\{[^}\s]*\}|[^\s"'<>]{5,}[^\s"'<>,}]))/gi
/** `BUNDLE_GEMS__EXAMPLE__COM: "user:password"` */
const SECRET_OF_BUNDLER = /^BUNDLE_(?!BUILD__|LOCAL__|MIRROR__)\w+__\w+\s*[:=]\s*"?([^\s"]{4,})/gm
/** `"github-oauth": {"github.com": "…"}` */
const SECRETS_OF_COMPOSER = /"(?:[a-z]+-oauth|gitlab-token|bearer)"\s*:\s*\{([^{}]*)\}/g
const PASSWORD_IN_ADDRESS = /:\/\/[^\s:@/]*:([^\s@/]{4,})@/g
/** A token in the place of the user. */
const TOKEN_IN_ADDRESS = /:\/\/([^\s:@/]{16,})(?::[^\s@/]*)?@/g
/** `${NPM_TOKEN}` or `$NPM_TOKEN`, in the place of a secret. */
const VARIABLE_REFERENCE = /^\$(?:\{.*\}|[A-Z_][A-Z0-9_]*)$/

/** The text of a file of the user, which may be a link: many keep such files in a repository. Empty if it cannot be read. */
function readSettings(file: string): string {
  try {
    return readRegularFile(file).subarray(0, MAX_FILE_BYTES).toString('utf8')
  } catch {
    return ''
  }
}
