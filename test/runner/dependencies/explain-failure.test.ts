/** Outputs as the tools print them, each with the words that must be shown. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { RunResult } from '#host/exec.ts'
import {
  explainFailure,
  explainMissingContract,
  listUnresolvedHosts,
  selectTellingLines,
} from '#runner/dependencies/explain-failure.ts'
import { initialStatus } from '#session/status'

const outputs: [tool: string, telling: RegExp, output: string][] = [
  [
    'corepack behind a certificate of the company',
    /^\[cause\]: Error: self-signed certificate in certificate chain$/,
    `Internal Error: Error when performing the request to https://packages.example/pnpm/-/pnpm-9.4.0.tgz; for troubleshooting help, see https://github.com/nodejs/corepack#troubleshooting
    at fetch (/usr/lib/node_modules/corepack/dist/lib/corepack.cjs:21616:11)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  [cause]: Error: self-signed certificate in certificate chain
      at TLSSocket.onConnectSecure (node:_tls_wrap:1677:34)
    code: 'SELF_SIGNED_CERT_IN_CHAIN'
  }`,
  ],
  [
    'go behind a certificate of the company',
    /^go: .*x509: certificate signed by unknown authority$/,
    `go: downloading example.com/m v1.0.0
go: example.com/m@v1.0.0: Get "https://packages.example/example.com/m/@v/v1.0.0.mod": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  ],
  [
    'npm without a login',
    /^401 Unauthorized - GET http:\/\/127\.0\.0\.1:4873\/@corp\/dep/,
    `npm error code E401
npm error 401 Unauthorized - GET http://127.0.0.1:4873/@corp/dep/-/dep-1.0.0.tgz
npm error A complete log of this run can be found in: /h/.npm/_logs/2026-11-29T10_00_00_000Z-debug-0.log`,
  ],
  [
    'npm with an old token, and its notice',
    /^Unable to authenticate, your authentication token seems to be invalid/,
    `npm error code E401
npm error Unable to authenticate, your authentication token seems to be invalid.
npm error To correct this please try logging in again with:
npm error   npm login
npm notice
npm notice New minor version of npm available! 11.19.1 -> 11.21.2
npm notice To update run: npm install -g npm@11.21.2
npm notice
npm error A complete log of this run can be found in: /h/.npm/_logs/x-debug-0.log`,
  ],
  [
    'npm without a server',
    /^FetchError: request to http:\/\/127\.0\.0\.1:4873\/dep failed, reason: connect ECONNREFUSED/,
    `npm error code ECONNREFUSED
npm error syscall connect
npm error errno ECONNREFUSED
npm error FetchError: request to http://127.0.0.1:4873/dep failed, reason: connect ECONNREFUSED 127.0.0.1:4873
npm error     at ClientRequest.<anonymous> (/usr/lib/node_modules/npm/node_modules/minipass-fetch/lib/index.js:130:14)
npm error     at process.processTicksAndRejections (node:internal/process/task_queues:83:21) {
npm error   code: 'ECONNREFUSED',
npm error   errno: 'ECONNREFUSED',
npm error   type: 'system'
npm error }
npm error
npm error If you are behind a proxy, please make sure that the 'proxy' config is set properly.  See: 'npm help config'
npm error A complete log of this run can be found in: /h/.npm/_logs/x-debug-0.log`,
  ],
  [
    'npm without a host',
    /request to https:\/\/packages\.example\/dep failed, reason: getaddrinfo ENOTFOUND packages\.example/,
    `npm error code ENOTFOUND
npm error syscall getaddrinfo
npm error errno ENOTFOUND
npm error network request to https://packages.example/dep failed, reason: getaddrinfo ENOTFOUND packages.example
npm error network This is a problem related to network connectivity.
npm error network In most cases you are behind a proxy or have bad network settings.
npm error network
npm error network If you are behind a proxy, please make sure that the
npm error network 'proxy' config is set properly.  See: 'npm help config'
npm error A complete log of this run can be found in: /h/.npm/_logs/x-debug-0.log`,
  ],
  [
    'npm with a lock file that does not fit',
    /can only install packages when your package\.json and package-lock\.json/,
    `npm error code EUSAGE
npm error
npm error \`npm ci\` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with \`npm install\` before continuing.
npm error
npm error Missing: left-pad@1.3.0 from lock file
npm error
npm error Clean install a project
npm error
npm error Usage:
npm error npm ci
npm error
npm error Run "npm help ci" for more info
npm error A complete log of this run can be found in: /h/.npm/_logs/x-debug-0.log`,
  ],
  [
    'npm whose install script downloads a browser',
    /Error: Failed to set up chrome v131/,
    `npm error code 1
npm error path /p/tree/node_modules/puppeteer
npm error command failed
npm error command sh -c node install.mjs
npm error Error: Failed to set up chrome v131.0.6778.204! Set "PUPPETEER_SKIP_DOWNLOAD" env variable to skip download.
npm error     at install (file:///p/tree/node_modules/puppeteer/install.mjs:1:1)
npm error     at async file:///p/tree/node_modules/puppeteer/install.mjs:2:1
npm error A complete log of this run can be found in: /h/.npm/_logs/x-debug-0.log`,
  ],
  [
    'npm 8, whose prefix was another',
    /^404 Not Found - GET https:\/\/packages\.example\/nothing/,
    `npm ERR! code E404
npm ERR! 404 Not Found - GET https://packages.example/nothing - Not found
npm ERR! 404
npm ERR! 404  'nothing@1.0.0' is not in this registry.

npm ERR! A complete log of this run can be found in:
npm ERR!     /h/.npm/_logs/x-debug-0.log`,
  ],
  [
    'pnpm with an old lock file',
    /^ERR_PNPM_OUTDATED_LOCKFILE\s+Cannot install with "frozen-lockfile"/,
    ` ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with <ROOT>/package.json

Note that in CI environments this setting is true by default. If you still need to run install in such cases, use "pnpm install --no-frozen-lockfile"

  Failure reason:
  specifiers in the lockfile don't match specifiers in package.json`,
  ],
  [
    'pnpm without a login',
    /^ERR_PNPM_FETCH_401\s+GET https:\/\/packages\.example\/dep: Unauthorized - 401/,
    `Progress: resolved 1, reused 0, downloaded 0, added 0
 ERR_PNPM_FETCH_401  GET https://packages.example/dep: Unauthorized - 401

This error happened while installing a direct dependency of /p/tree

No authorization header was set for the request.`,
  ],
  [
    'yarn 1 without a host',
    /An unexpected error occurred: "https:\/\/packages\.example\/dep: getaddrinfo ENOTFOUND packages\.example"/,
    `yarn install v1.22.22
[1/4] Resolving packages...
error An unexpected error occurred: "https://packages.example/dep: getaddrinfo ENOTFOUND packages.example".
info If you think this is a bug, please open a bug report with the information provided in "/p/tree/yarn-error.log".
info Visit https://yarnpkg.com/en/docs/cli/install for documentation about this command.`,
  ],
  [
    'yarn 4 with an old lock file',
    /^YN0028: │ The lockfile would have been modified by this install/,
    `➤ YN0000: · Yarn 4.5.0
➤ YN0000: ┌ Resolution step
➤ YN0000: └ Completed
➤ YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.
➤ YN0000: · Failed with errors in 0s 120ms`,
  ],
  [
    'yarn 4 without a login',
    /^YN0041: │ @corp\/dep@npm:1\.0\.0: Invalid authentication \(as an anonymous user\)/,
    `➤ YN0000: · Yarn 4.5.0
➤ YN0000: ┌ Fetch step
➤ YN0041: │ @corp/dep@npm:1.0.0: Invalid authentication (as an anonymous user)
➤ YN0000: └ Completed in 0s 226ms
➤ YN0000: · Failed with errors in 0s 361ms`,
  ],
  [
    'bun without a login',
    /GET https:\/\/packages\.example\/dep - 401/,
    `bun install v1.1.38 (bf2f153f)
error: GET https://packages.example/dep - 401`,
  ],
  [
    'pip without the package',
    /^ERROR: Could not find a version that satisfies the requirement nothing==9/,
    `Looking in indexes: https://packages.example/simple
ERROR: Could not find a version that satisfies the requirement nothing==9 (from versions: none)
ERROR: No matching distribution found for nothing==9

[notice] A new release of pip is available: 24.0 -> 25.3
[notice] To update, run: python3 -m pip install --upgrade pip`,
  ],
  [
    'pip without a host',
    /Could not find a version|Name or service not known/,
    `WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno -2] Name or service not known')': /simple/six/
ERROR: Could not find a version that satisfies the requirement six (from versions: none)
ERROR: No matching distribution found for six`,
  ],
  [
    'pip without a compiler',
    /^error: command 'gcc' failed: No such file or directory/,
    `  error: subprocess-exited-with-error
  × Building wheel for psycopg2 (pyproject.toml) did not run successfully.
  │ exit code: 1
  ╰─> [12 lines of output]
      running build_ext
      error: command 'gcc' failed: No such file or directory
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
  ERROR: Failed building wheel for psycopg2
ERROR: Failed to build installable wheels for some pyproject.toml based projects (psycopg2)

[notice] A new release of pip is available: 24.0 -> 25.3`,
  ],
  [
    'uv without a login',
    /HTTP status client error \(401 Unauthorized\) for url/,
    `error: Failed to fetch: \`https://packages.example/simple/six/\`
  Caused by: HTTP status client error (401 Unauthorized) for url (https://packages.example/simple/six/)`,
  ],
  [
    'uv without a solution',
    /No solution found when resolving dependencies/,
    `  × No solution found when resolving dependencies:
  ╰─▶ Because nothing was not found in the package registry and your project depends on nothing, we can conclude that your project's requirements are unsatisfiable.`,
  ],
  [
    'poetry with an old lock file',
    /changed significantly since poetry\.lock was last generated/,
    `Installing dependencies from lock file

pyproject.toml changed significantly since poetry.lock was last generated. Run \`poetry lock\` to fix the lock file.`,
  ],
  [
    'poetry without a host',
    /^All attempts to connect to packages\.example failed/,
    `Package operations: 1 install, 0 updates, 0 removals

  - Installing six (1.16.0): Failed

All attempts to connect to packages.example failed.

Probable Causes:
 - the server is not responding to requests at the moment
 - the hostname cannot be resolved by your DNS
 - your network is not connected to the internet`,
  ],
  [
    'cargo without a host',
    /Could not resolve host: index\.example/,
    `    Updating crates.io index
error: failed to get \`serde\` as a dependency of package \`p v0.1.0 (/p/tree)\`

Caused by:
  failed to query replaced source registry \`crates-io\`

Caused by:
  download of config.json failed

Caused by:
  failed to download from \`https://index.example/config.json\`

Caused by:
  [6] Could not resolve hostname (Could not resolve host: index.example)`,
  ],
  [
    'cargo with an old lock file',
    /^error: the lock file \/p\/tree\/Cargo\.lock needs to be updated but --locked was passed/,
    `error: the lock file /p/tree/Cargo.lock needs to be updated but --locked was passed to prevent this
If you want to try to generate the lock file without accessing the network, remove the --locked flag and use --offline instead.`,
  ],
  [
    'go without a host',
    /dial tcp: lookup proxy\.example: no such host/,
    `go: downloading example.com/x v1.0.0
go: example.com/x@v1.0.0: Get "https://proxy.example/example.com/x/@v/v1.0.0.mod": dial tcp: lookup proxy.example: no such host`,
  ],
  [
    'bundler without a login',
    /^Authentication is required for gems\.example/,
    `Fetching gem metadata from https://gems.example/..
Authentication is required for gems.example.
Please supply credentials for this source. You can do this by running:
\`bundle config set --global gems.example username:password\``,
  ],
  [
    'composer without a host',
    /Could not resolve host: packages\.example/,
    `
In CurlDownloader.php line 401:

  curl error 6 while downloading https://packages.example/packages.json: Could not resolve host: packages.example

install [--prefer-source] [--prefer-dist] [--prefer-install PREFER-INSTALL] [--dry-run] [--] [<packages>...]`,
  ],
  [
    'Maven without a host',
    /Unknown host packages\.example/,
    `[INFO] BUILD FAILURE
[ERROR] Failed to execute goal on project p: Could not resolve dependencies for project x:p:jar:1: Could not transfer artifact a:b:jar:1 from/to central (https://packages.example/maven2): packages.example: Unknown host packages.example -> [Help 1]
[ERROR]
[ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.
[ERROR] Re-run Maven using the -X switch to enable full debug logging.
[ERROR]
[ERROR] For more information about the errors and possible solutions, please read the following articles:
[ERROR] [Help 1] http://cwiki.apache.org/confluence/display/MAVEN/DependencyResolutionException`,
  ],
  [
    'Gradle without a login',
    /Received status code 401 from server: Unauthorized/,
    `FAILURE: Build failed with an exception.

* What went wrong:
Execution failed for task ':compileJava'.
> Could not resolve all files for configuration ':compileClasspath'.
   > Could not resolve com.example:y:1.
     Required by:
         project :
      > Could not GET 'https://packages.example/y-1.pom'. Received status code 401 from server: Unauthorized

* Try:
> Run with --stacktrace option to get the stack trace.
> Get more help at https://help.gradle.org.

BUILD FAILED in 2s`,
  ],
  [
    'Python without venv',
    /because ensurepip is not/,
    `The virtual environment was not created successfully because ensurepip is not
available.  On Debian/Ubuntu systems, you need to install the python3-venv
package using the following command.

    apt install python3.11-venv

You may need to use sudo with that command.  After installing the python3-venv
package, recreate your virtual environment.

Failing command: /p/tree/.venv/bin/python3`,
  ],
  [
    'bundler whose gem does not build',
    /^An error occurred while installing nokogiri \(1\.15\.0\), and Bundler cannot continue\./,
    `Gem::Ext::BuildError: ERROR: Failed to build gem native extension.

An error occurred while installing nokogiri (1.15.0), and Bundler cannot continue.

In Gemfile:
  nokogiri`,
  ],
  [
    'npm behind the proxy of a sandbox',
    /^network tunneling socket could not be established, statusCode=403/,
    `npm error code ECONNRESET
npm error network tunneling socket could not be established, statusCode=403
npm error network This is a problem related to network connectivity.
npm error A complete log of this run can be found in: /h/.npm/_logs/x-debug-0.log`,
  ],
  [
    'go without a login',
    /could not read Username for 'https:\/\/git\.example': terminal prompts disabled/,
    `go: git.example/corp/x@v1.0.0: invalid version: git ls-remote -q origin in /h/go/pkg/mod/cache/vcs/1: exit status 128:
	fatal: could not read Username for 'https://git.example': terminal prompts disabled
Confirm the import path was entered correctly.
If this is a private repository, see https://golang.org/doc/faq#git_https for additional information.`,
  ],
  ['a plain message', /^no such registry$/, 'no such registry\n'],
  [
    'make',
    /^cc: fatal error: no input files$/,
    'cc\ncc: fatal error: no input files\nmake: *** [Makefile:2: deps] Error 1\n',
  ],
]

it('the telling line is shown, not the footer', () => {
  for (const [tool, telling, output] of outputs) {
    const lines = selectTellingLines(output)
    assert.match(lines.join('; '), telling, `${tool}: ${JSON.stringify(lines)}`)
    assert.ok(lines.length <= 2, tool)
  }
  assert.deepEqual(selectTellingLines(''), [])
})

const run = (changes: Partial<RunResult>): RunResult => ({
  exitCode: 1,
  signal: undefined,
  timedOut: false,
  startError: undefined,
  stdout: '',
  stderr: '',
  milliseconds: 2000,
  ...changes,
})

it('a failure says how the command ended and why', () => {
  assert.equal(explainFailure('npm ci', run({ exitCode: 0 })), undefined)
  assert.equal(explainFailure('npm ci', run({})), '`npm ci` ended with exit 1')
  assert.equal(
    explainFailure('npm ci', run({ stderr: 'no such registry\n' })),
    '`npm ci` ended with exit 1: no such registry',
  )
  assert.match(
    explainFailure('pnpm i', run({ exitCode: 127, stderr: 'sh: 1: pnpm: not found' })) ?? '',
    /not on this machine: sh: 1: pnpm: not found/,
  )
  assert.match(explainFailure('a', run({ exitCode: undefined, timedOut: true })) ?? '', /timed out after 2 s/)
  assert.match(explainFailure('a', run({ exitCode: undefined, signal: 'SIGKILL' })) ?? '', /ended by SIGKILL/)
  assert.match(
    explainFailure('a', run({ exitCode: undefined, startError: 'no sandbox' })) ?? '',
    /did not start: no sandbox/,
  )
})

it('hosts that were looked for without a proxy are listed', () => {
  const text = outputs.map(([, , output]) => output).join('\n')
  assert.deepEqual(listUnresolvedHosts(text), ['packages.example', 'index.example', 'proxy.example'])
})

it('a failed setup is the reason why there is no contract', () => {
  const dependencies = { state: 'failed', reason: '`npm ci` ended with exit 1', seconds: 1 } as const
  assert.match(explainMissingContract({ ...initialStatus, dependencies }) ?? '', /setup failed.*npm ci/)
  assert.equal(explainMissingContract(initialStatus), undefined)
  const contract = { sha256: '', version: 1, uncoveredSentences: [], excludedSentences: [], dilutions: [] }
  assert.equal(explainMissingContract({ ...initialStatus, dependencies, contract }), undefined)
})
