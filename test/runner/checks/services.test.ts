/** Checks beside services, run for real, and checks that lack one. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { it, type TestContext } from 'node:test'
import { listPids, readProcFile } from '#host/process/proc.ts'
import { Project } from '#host/project'
import { planServices } from '#host/services'
import { getEvidence } from '#runner/checks/check-cache.ts'
import { considerServices, listRefusedAddresses } from '#runner/checks/consider-services.ts'
import { isCheckClause } from '#runner/checks/run-check.ts'
import type { SessionManifest } from '#session'
import { parseContract } from '#session/contract'
import type { Outcome } from '#session/log'
import { prepareRepository } from '#session/repository'
import { createRepository } from '../../fixtures/host/repository.ts'
import { createTestContext } from '../../fixtures/runner-context.ts'
import { createScratchFolder, waitUntil } from '../../fixtures/scratch.ts'
import { whyNoBubblewrap, whyNoProgram } from '../../fixtures/skip-reasons.ts'

type Sandbox = SessionManifest['sandbox']

/** A server over TCP and over a Unix socket, which counts its starts in its folder, and a program that asks it. */
const files = {
  'db.sh': `
echo x >>"$DB_DIR/starts"
echo $$ >"$DB_DIR/pid"
socat "UNIX-LISTEN:$DB_DIR/db.sock,fork" "SYSTEM:wc -l <$DB_DIR/starts" &
echo serving
exec socat "TCP-LISTEN:$DB_PORT,bind=127.0.0.1,reuseaddr,fork" "SYSTEM:wc -l <$DB_DIR/starts"
`,
  'ask.sh': 'socat -u "TCP:127.0.0.1:$DB_PORT" - && socat -u "UNIX-CONNECT:$DB_SOCKET" - && echo "$DATABASE_URL"\n',
}
const database = {
  name: 'db',
  command: 'exec sh db.sh',
  ready: 'sh ask.sh',
  variables: { DATABASE_URL: `db://user@$\{DB_PORT}x`, DB_SOCKET: '$DB_DIR/db.sock' },
}

/** Run checks at the same time, on a tree with these files, beside these services. */
async function runChecks(t: TestContext, sandbox: Sandbox, services: object[], commands: string[]) {
  const { path: user, commit } = await createRepository(t, files)
  const project = Project.parse({ services })
  const context = createTestContext(t, { project, sandbox, repository: { path: user, commit, uncommittedFiles: 0 } })
  const base = await prepareRepository(context.session.paths, 'dispatch/x', user)
  context.record({ type: 'base.prepared', ...base })
  const clauses = commands.map((command, index) => `## C${index + 1} — It works\n- check: \`\`${command}\`\`\n`)
  const { contract } = parseContract(`# Contract: x\n\n${clauses.join('\n')}`, { allowsJudgedOnly: false })
  const records = await Promise.all(
    contract.clauses
      .filter(isCheckClause)
      .map(clause => getEvidence(context, clause, { id: `base-${clause.id}`, side: 'base', round: 0, commit: base })),
  )
  assert.equal(records.length, commands.length)
  return { records, paths: context.session.paths }
}

const withAndWithout: [name: string, sandbox: Sandbox, skip: string | false][] = [
  ['without a sandbox', { kind: null, reason: 'a test' }, whyNoProgram('socat')],
  ['in a sandbox', { kind: 'bubblewrap', reason: '' }, whyNoBubblewrap],
]

for (const [name, sandbox, skip] of withAndWithout)
  it(`each run of a check has the services to itself ${name}`, { skip }, async t => {
    const mark = path.basename(createScratchFolder(t))
    const command = `setsid sh -c 'exec sleep 600; ${mark}' & exec sh db.sh`
    const services = [{ ...database, command }]
    const killing = 'kill $(cat $DB_DIR/pid); while kill -0 $(cat $DB_DIR/pid); do :; done; exit 4'
    const { records, paths } = await runChecks(t, sandbox, services, ['sh ask.sh', ...(sandbox.kind ? [] : [killing])])
    const [asking, killed] = records
    assert.equal(asking?.outcome, 'green', `${asking?.reason} ${asking?.outputTail}`)
    assert.match(asking?.outputTail ?? '', /^1\n1\ndb:\/\/user@\d+x\n$/, 'it has started once, in an empty folder')
    assert.equal(asking?.runs.length, 2)
    assert.deepEqual(asking?.services, Project.parse({ services }).services)
    assert.equal(fs.readFileSync(paths.serviceOutput('base-C1'), 'utf8'), `[service db] ${command}\nserving`)
    if (killed) assert.equal(killed.reason, 'exit 4, not 0; service db ended before the check')
    const isMarked = (pid: number) => readProcFile(pid, 'cmdline').includes(mark)
    await waitUntil(() => !listPids().some(isMarked), 'nothing of the service runs')
  })

it('a check without its service could not run, whatever it came to', async t => {
  const tempFolder = createScratchFolder(t)
  const plan = await planServices(Project.parse({ services: [database] }).services, { tempFolder, sandbox: null })
  assert.ok(plan)
  fs.mkdirSync(plan.folder)
  fs.writeFileSync(path.join(plan.folder, 'problem'), 'service db was not ready within 1 s: no room\n')
  const couldNotRun = { outcome: 'could not run', reason: 'service db was not ready within 1 s: no room' }
  for (const outcome of ['green', 'red'] as const)
    assert.deepEqual(
      considerServices({ outcome, reason: '' }, { stdout: '', stderr: '' }, 'x', plan, {
        sandbox: null,
        scratch: tempFolder,
      }),
      couldNotRun,
    )
})

it('a check whose own service has ended is red, also if another one listens outside', async t => {
  const server = net.createServer().listen(0)
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as net.AddressInfo
  const tempFolder = createScratchFolder(t)
  const plan = await planServices(Project.parse({ services: [database] }).services, { tempFolder, sandbox: null })
  assert.ok(plan)
  fs.mkdirSync(plan.folder)
  fs.writeFileSync(path.join(plan.folder, 'ended'), 'db\n')
  const run = { stdout: '', stderr: `connect ECONNREFUSED 127.0.0.1:${port}` }
  const place = { sandbox: 'bubblewrap', scratch: tempFolder } as const
  assert.deepEqual(considerServices({ outcome: 'red', reason: 'exit 1' }, run, 'x', plan, place), {
    outcome: 'red',
    reason: 'exit 1; service db ended before the check',
  })
})

it('a check is not red if it needs a service that runs outside of the sandbox', { skip: whyNoBubblewrap }, async t => {
  const listen = async (address: number | string) => {
    const server = net.createServer().listen(address)
    await once(server, 'listening')
    t.after(() => server.close())
    return server
  }
  const { port } = (await listen(0)).address() as net.AddressInfo
  const { records } = await runChecks(t, { kind: 'bubblewrap', reason: '' }, [], [`socat -u TCP:127.0.0.1:${port} -`])
  const reason = (place: string) =>
    `it needs the service at ${place}, which runs on this machine, but outside of the sandbox`
  assert.deepEqual(
    records.map(record => [record.outcome, record.reason]),
    [['could not run', reason(`127.0.0.1:${port}`)]],
  )
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dispatch-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  await listen(path.join(folder, 's'))
  type Kind = Sandbox['kind']
  const consider = (output: string, outcome: Outcome = 'red', sandbox: Kind = 'bubblewrap', scratch = '/nowhere') => {
    const run = { stdout: '', stderr: output }
    return considerServices({ outcome, reason: 'r' }, run, 'x', undefined, { sandbox, scratch })
  }
  const refused = `connect ECONNREFUSED 127.0.0.1:${port}`
  const missing = `Error: connect ENOENT ${folder}/s`
  assert.equal(consider(missing).reason, reason(`${folder}/s`))
  assert.equal(consider(missing, 'red', 'bubblewrap', folder).outcome, 'red', 'the check itself has made that socket')
  assert.equal(consider(refused).outcome, 'could not run')
  assert.equal(consider(refused, 'green').outcome, 'green', 'words do not change a check that is not red')
  assert.equal(consider(refused, 'nothing ran').outcome, 'nothing ran')
  assert.equal(consider(refused, 'red', null).outcome, 'red', 'without a sandbox the check reaches it')
  assert.equal(consider(`listening on 127.0.0.1:${port}`).outcome, 'red', 'nothing was refused')
  assert.equal(consider('connect ECONNREFUSED 127.0.0.1:1').outcome, 'red', 'nothing listens there')
  assert.equal(consider('connect ENOENT /etc/passwd').outcome, 'red', 'it is no socket')
})

it('the refused address is found in what the drivers of each language print', () => {
  const cases: [output: string, ports: number[], sockets?: string[]][] = [
    ['Error: connect ECONNREFUSED 127.0.0.1:5432\n    at TCPConnectWrap.afterConnect', [5432]],
    ['AggregateError [ECONNREFUSED]: \n  [errors]: [\n    Error: connect ECONNREFUSED ::1:6379', [6379]],
    ['connection to server at "127.0.0.1", port 5432 failed: Connection refused\n\tIs the server running', [5432]],
    [
      'could not connect to server: Connection refused\n\tIs the server running on host "localhost" (127.0.0.1) and accepting\n\tTCP/IP connections on port 5433?',
      [5433],
    ],
    ['panic: dial tcp [::1]:5432: connect: connection refused', [5432]],
    ['Caused by: Connection to localhost:5432 refused. Check that the hostname and port are correct', [5432]],
    ['AnnotatedConnectException: Connection refused: localhost/127.0.0.1:6379', [6379]],
    [
      'error sending request for url (http://localhost:8080/): tcp connect error: Connection refused (os error 111)',
      [8080],
    ],
    ['Connection refused - connect(2) for "127.0.0.1" port 3306 (Errno::ECONNREFUSED)', [3306]],
    [
      'PDOException: SQLSTATE[HY000] [2002] Connection refused (Connection: mysql, Host: 127.0.0.1, Port: 3307)',
      [3307],
    ],
    ['Predis\\Connection\\ConnectionException: Connection refused [tcp://127.0.0.1:6379]', [6379]],
    ['Could not connect to Redis at 127.0.0.1:6379: Connection refused', [6379]],
    ['redis.exceptions.ConnectionError: Error 111 connecting to localhost:6380. Connection refused.', [6380]],
    ["  sock.connect(('localhost', 9200))\n  ~~~\nConnectionRefusedError: [Errno 111] Connection refused", [9200]],
    [
      "pymysql.err.OperationalError: (2003, \"Can't connect to MySQL server on 'localhost' ([Errno 111] Connection refused)\")",
      [3306],
    ],
    ["curl: (7) Failed to connect to localhost port 8081 after 0 ms: Couldn't connect to server", [8081]],
    ['** (DBConnection.ConnectionError) tcp connect (localhost:5432): connection refused - :econnrefused', [5432]],
    [
      'Npgsql.NpgsqlException: Failed to connect to 127.0.0.1:5432\n ---> SocketException (111): Connection refused',
      [5432],
    ],
    ['ConnectionRefusedError: [Errno 111] Connection refused', [7001]],
    ['thread main panicked: Os { code: 111, kind: ConnectionRefused, message: "Connection refused" }', [7001]],
    ['12 passed, see http://localhost:8080/', []],
    [
      'psql: error: connection to server on socket "/run/postgresql/.s.PGSQL.5432" failed: No such file',
      [],
      ['/run/postgresql/.s.PGSQL.5432'],
    ],
    [
      'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?',
      [],
      ['/var/run/docker.sock'],
    ],
    [
      "ERROR 2002: Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)",
      [3306],
      ['/run/mysqld/mysqld.sock'],
    ],
  ]
  for (const [output, ports, sockets = []] of cases) {
    const command = ports[0] === 7001 ? 'check --url http://127.0.0.1:7001/' : 'make test'
    const found = listRefusedAddresses(output, command)
    assert.deepEqual(found.ports, ports, output)
    if (sockets.length > 0) assert.deepEqual(found.sockets, sockets, output)
  }
})
