import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { findCredentialFiles, listSettingSecrets, readCredentialSecrets } from '#host/project'
import { listReferredVariables, listRegistryHosts } from '#host/project/credentials.ts'
import { createScratchFolder } from '../../fixtures/scratch.ts'

/** Files as users have them, with the hosts and the secret that each contains. */
const files: [name: string, command: string, hosts: string[], secret: string, text: string][] = [
  [
    '.npmrc',
    'npm ci',
    ['packages.example:4873', '127.0.0.1:4873'],
    'npm-secret-1',
    '; mine\n@corp:registry=https://packages.example:4873/\n//127.0.0.1:4873/:_authToken=npm-secret-1\n',
  ],
  [
    '.yarnrc.yml',
    'yarn install --immutable',
    ['yarn.example'],
    'yarn-secret-1',
    'npmScopes:\n  corp:\n    npmRegistryServer: "https://yarn.example"\n    npmAuthToken: "yarn-secret-1"\n',
  ],
  [
    '.bunfig.toml',
    'bun install',
    ['bun.example'],
    'bun-secret-1',
    '[install.scopes]\ncorp = { token = "bun-secret-1", url = "https://bun.example/" }\n',
  ],
  [
    '.config/pip/pip.conf',
    '.venv/bin/pip install -r a',
    ['pip.example'],
    'pip-secret-1',
    '[global]\nindex-url = https://me:pip-secret-1@pip.example/simple\n',
  ],
  [
    '.config/uv/uv.toml',
    'uv sync',
    ['uv.example'],
    'uv-secret-1',
    '[[index]]\nurl = "https://me:uv-secret-1@uv.example/simple"\n',
  ],
  [
    '.config/pypoetry/auth.toml',
    'poetry install',
    [],
    'poetry-secret',
    '[http-basic.corp]\nusername = "me"\npassword = "poetry-secret"\n',
  ],
  ['.netrc', 'go mod download', [], 'netrc-secret', 'machine git.example login me password netrc-secret\n'],
  [
    '.cargo/credentials.toml',
    'cargo fetch --locked',
    [],
    'cargo-secret',
    '[registries.corp]\ntoken = "cargo-secret"\n',
  ],
  [
    '.cargo/config.toml',
    'cargo fetch',
    ['cargo.example'],
    '',
    '[registries.corp]\nindex = "sparse+https://cargo.example/index/"\n',
  ],
  [
    '.bundle/config',
    'BUNDLE_PATH=x bundle install',
    ['gems.my-corp.example'],
    'gem:secret-1',
    '---\nBUNDLE_GEMS__MY___CORP__EXAMPLE: "gem:secret-1"\n',
  ],
  [
    '.config/composer/auth.json',
    'composer install',
    ['repo.example'],
    'composer-secret',
    '{"http-basic": {"repo.example": {"username": "me", "password": "composer-secret"}}}',
  ],
  [
    '.m2/settings.xml',
    './mvnw --batch-mode dependency:go-offline',
    ['maven.example'],
    'maven-secret',
    '<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><servers><server><id>c</id><password>maven-secret</password></server></servers><mirrors><mirror><url>https://maven.example/repo</url></mirror></mirrors></settings>',
  ],
  [
    '.nuget/NuGet/NuGet.Config',
    'dotnet restore --locked-mode',
    ['nuget.example'],
    'nuget-secret',
    '<configuration><add key="corp" value="https://nuget.example/v3/index.json" /><corp><add key="Username" value="me" /><add key="ClearTextPassword" value="nuget-secret" /></corp></configuration>',
  ],
  ['.gradle/gradle.properties', './gradlew build', [], 'gradle-secret', 'corpUser=me\ncorpPassword=gradle-secret\n'],
]

test('each tool’s file is noticed, with its hosts and its secrets', t => {
  for (const [name, command, hosts, secret, text] of files) {
    const home = createScratchFolder(t)
    const file = path.join(home, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
    const [found, ...others] = findCredentialFiles([command], home)
    assert.deepEqual([found?.name, found?.hosts, others], [`~/${name}`, hosts, []], name)
    const secrets = readCredentialSecrets(file)
    if (secret !== '') assert.ok(secrets.includes(secret), `${name}: ${secrets.join()}`)
    assert.deepEqual(findCredentialFiles(['make'], home), [], name)
  }
})

test('a file without a registry or a login is not asked about', t => {
  const home = createScratchFolder(t)
  fs.writeFileSync(path.join(home, '.npmrc'), 'save-exact=true\n# registry=https://old.example/\n')
  assert.deepEqual(findCredentialFiles(['npm ci'], home), [])
  assert.deepEqual(findCredentialFiles(['npm ci'], path.join(home, 'nowhere')), [])
})

test('a file behind a link counts, for people keep such files in a repository', t => {
  const home = createScratchFolder(t)
  fs.writeFileSync(path.join(home, 'kept'), 'registry=https://npm.example/\n')
  fs.symlinkSync('kept', path.join(home, '.npmrc'))
  assert.deepEqual(findCredentialFiles(['npm ci'], home)[0]?.hosts, ['npm.example'])
})

test('a tool is recognized as a program, not as a part of another word', t => {
  const home = createScratchFolder(t)
  fs.writeFileSync(path.join(home, '.netrc'), 'machine git.example login me password netrc-secret\n')
  for (const command of ['go mod download', 'cd api && .venv/bin/pip install x', 'pip3 install x'])
    assert.equal(findCredentialFiles([command], home).length, 1, command)
  assert.deepEqual(findCredentialFiles(['mvn dependency:go-offline'], home), [])
})

test('a login is found in a variable or a setting of every tool', () => {
  const logins: [text: string, secret: string][] = [
    ['npm_config__auth=bG9naW46bWluZQ==', 'bG9naW46bWluZQ=='],
    ['npm_config_//r.example/:_authToken=npm-login', 'npm-login'],
    ['COMPOSER_AUTH={"http-basic":{"r.example":{"username":"me","password":"mine, and long}"}}}', 'mine, and long}'],
    ['{"github-oauth": {"github.com": "oauth-1"}, "bearer": {"r.example": "bearer-1"}}', 'bearer-1'],
    ['BUNDLE_GEMS__EXAMPLE__COM=me:gem-login', 'me:gem-login'],
    ['YARN_NPM_AUTH_IDENT=me:yarn-login', 'me:yarn-login'],
    ['    npmAuthIdent: "me:yarn-login"', 'me:yarn-login'],
    ['PIP_INDEX_URL=https://a-token-as-the-user@r.example/simple', 'a-token-as-the-user'],
    ['password = $ecret-of-mine', '$ecret-of-mine'],
  ]
  for (const [text, secret] of logins) assert.ok(listSettingSecrets(text).includes(secret), text)
  const plain = [
    'npm_config_always_auth=true',
    'npm_config_auth_type=legacy',
    'PIP_INDEX_URL=https://pip.example/simple',
    'BUNDLE_BUILD__NOKOGIRI=--use-system-libraries',
    `//r.example/:_authToken=\${NPM_TOKEN}`,
    'password = $CORP_PASSWORD',
  ]
  for (const text of plain) assert.deepEqual(listSettingSecrets(text), [], text)
})

test('variables that a setting refers to are listed', () => {
  const text = `//a.example/:_authToken=\${NPM_TOKEN}\nb: "\${CORP-x}"\nc = "$BUN_TOKEN"\n<p>\${env.MAVEN_PASS}</p>\nprefix=\${HOME}/x\n`
  assert.deepEqual(listReferredVariables(text), ['NPM_TOKEN', 'CORP', 'BUN_TOKEN', 'MAVEN_PASS'])
})

test('a registry is named without the login in its address', () => {
  assert.deepEqual(listRegistryHosts('pip.conf', 'index-url = https://me:secret@a.example:8080/simple'), [
    'a.example:8080',
  ])
  assert.deepEqual(listRegistryHosts('.netrc', 'machine a.example login x password y\nmachine b.example'), [
    'a.example',
    'b.example',
  ])
})
