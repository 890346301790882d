import { pythonBuild, pythonProject, pythonScenario } from './python.ts'
import type { Walk } from './record-walk.ts'
import { typescriptBuild, typescriptProject, typescriptScenario } from './typescript.ts'

/** The two walks: in one, a person approves the contract before any work. */
export const walks: Record<'python' | 'typescript', Walk> = {
  python: {
    files: pythonProject(),
    build: pythonBuild,
    scenario: pythonScenario,
    commandsBefore: ['cp .env.example .env.test'],
    tests:
      'python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt && UNITS_DIGITS=6 .venv/bin/python -m unittest && .venv/bin/python -m units list | head -3',
    approve: true,
  },
  typescript: {
    files: typescriptProject(),
    build: typescriptBuild,
    scenario: typescriptScenario,
    commandsBefore: [],
    tests: "npm ci --silent && npm test 2>&1 | grep -E '^. (tests|pass|fail)' && node src/main.ts list | head -3",
    approve: false,
  },
}
