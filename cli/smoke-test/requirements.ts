import { detectLogin, findClaude, type Login, prepareLogin, requireLogin } from '#host/claude'
import { type Config, prepareHome } from '#host/config'
import { DispatchError, exitCodes } from '#host/error.ts'
import { runProgram } from '#host/exec.ts'
import { requireClaude, requirePrograms } from '#host/versions.ts'

export interface SmokeRequirements {
  claude: string
  login: Login
}

/** Check everything that a PASS needs before anything is started. Exit 6 or 7, with the fix. */
export async function checkRequirements(config: Config): Promise<SmokeRequirements> {
  prepareHome(config)
  await requirePrograms(config)
  const claude = findClaude()
  await requireClaude(claude, config)
  const login = detectLogin(config.claudeFolder)
  prepareLogin(login, config.workspace)
  await requireLogin(login, claude)
  if (config.GEMINI_API_KEY === '')
    throw new DispatchError('GEMINI_API_KEY is not set, and without a judge no verdict can be PASS', {
      exitCode: exitCodes.login,
      remedy: `Get a key at https://aistudio.google.com/apikey and put GEMINI_API_KEY=… into ${config.home}/.env`,
    })
  return { claude, login }
}

/** The task of the smoke test, in Python or else in JavaScript. `-B` keeps Python from leaving files beside the work. */
export async function chooseTask(): Promise<string> {
  // On a new Mac python3 exists but only offers to install itself, so it is run.
  const python = await runProgram('python3', ['--version'], { timeoutMs: PYTHON_TIMEOUT_MS })
  const [module, tests, command] =
    python.exitCode === 0
      ? ['Python module mathx.py', 'test_mathx.py', '`python3 -B -m unittest`']
      : ['JavaScript module mathx.mjs', 'mathx.test.mjs', '`node --test`']
  return `Write a small ${module} with three functions: add(a, b) gives the sum, gcd(a, b) the greatest common divisor (never negative; gcd(0, 0) is 0), is_prime(n) says whether n is prime (false for everything below 2). Write tests of all three in ${tests}, which ${command} runs without installing anything. Make no other files.`
}

// --- internal ---

const PYTHON_TIMEOUT_MS = 10_000
