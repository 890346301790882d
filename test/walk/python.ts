import { bash, put, type Scenario, say, spawn, write } from '#rehearsal/scenario.ts'
import { capitalize, createOpeningTurns, quantities } from './quantities.ts'

/** A command line tool in Python: fifty files, a wheel as dependency, tests, and instructions for agents. */
export function pythonProject(): Record<string, string> {
  const modules = Object.entries(quantities).flatMap(([name, units]) => [
    [`units/${name}.py`, quantityModule(name, units)],
    [`tests/test_${name}.py`, quantityTest(name, units)],
  ])
  return {
    ...Object.fromEntries(modules),
    'README.md': readme(),
    'CLAUDE.md': instructions,
    LICENSE: 'Do what you like with it.\n',
    '.gitignore': '.venv/\n__pycache__/\n.env.test\n',
    '.env.example': 'UNITS_DIGITS=6\n',
    'requirements.txt': './third_party/roman_numbers-1.0-py3-none-any.whl\n',
    'third_party/make_wheel.py': wheelMaker,
    'third_party/README.md': 'The one dependency, kept here so that no network is needed.\n',
    'units/__init__.py': `"""Convert between units."""\n`,
    'units/__main__.py': 'import sys\n\nfrom .cli import main\n\nsys.exit(main(sys.argv[1:]))\n',
    'units/quantity.py': quantityClass,
    'units/catalog.py': catalog,
    'units/cli.py': cli,
    'tests/__init__.py': '',
    'tests/test_cli.py': cliTest,
    'docs/adding-a-quantity.md': 'Write a module like `units/length.py`, add it to `units/catalog.py`, write a test.\n',
    'docs/releases.md': '## 1.0\n\nFirst release.\n',
    '.claude/settings.json': '{ "permissions": { "allow": ["Bash(rm:*)"] } }\n',
    '.claude/commands/review.md': 'Review the diff.\n',
    '.mcp.json': '{ "mcpServers": {} }\n',
  }
}

/** Run once in the files before the first commit: it builds the wheel. */
export const pythonBuild = 'python3 third_party/make_wheel.py'

export const pythonTask =
  'Add a command `python -m units list` that prints every quantity, sorted, each with the number of its units as a Roman numeral. Say so in the README.'

const contract = `
# Contract: list the quantities

## C1 — \`python -m units list\` prints every quantity, sorted, with the number of its units as a Roman numeral
- covers: S1
- check: \`python -m units list\`
- expect: output contains \`length IV\`
- expect: output matches \`^angle III$\`

## C2 — The list has a test, and it passes
- check: \`python -m unittest tests.test_list\`

## C3 — All existing tests still pass
- check: \`. ./.env.test && export UNITS_DIGITS && python -m unittest\`
- guard

## C4 — The README describes the new command
- covers: S2
- check: \`cat README.md\`
- expect: output contains \`units list\`

## C5 — No other file is changed
- scope: \`units/cli.py\` \`tests/test_list.py\` \`README.md\`
`

export const pythonScenario: Scenario = {
  title: 'a Python project',
  task: pythonTask,
  requiredProgram: 'python3',
  workers: {
    list: [
      put('tests/test_list.py', listTest()),
      bash(`python - <<'EDIT'
from pathlib import Path
file = Path("units/cli.py")
text = file.read_text()
text = text.replace("from .catalog import find\\n", "import roman_numbers\\n\\nfrom .catalog import QUANTITIES, find\\n")
text = text.replace("    if len(words) != 4", "    if words == [\\"list\\"]:\\n        for name in sorted(QUANTITIES):\\n            print(name, roman_numbers.roman(len(QUANTITIES[name].units)))\\n        return 0\\n    if len(words) != 4")
file.write_text(text)
EDIT
python -m units list && python -m unittest`),
      say(
        '`python -m units list` prints 15 lines, from "angle III" to "volume III". I ran it, and all tests. C1, C2 and C3 hold.',
      ),
    ],
    readme: [
      context =>
        write(
          `${context.folder}/README.md`,
          `${readme()}\n## List the quantities\n\n    python -m units list\n\nprints every quantity with the number of its units, in Roman numerals.`,
        ),
      say('The README has a section on `python -m units list`. C4 holds.'),
    ],
  },
  // With --approve the first spawn-worker says that a person must approve, and the turn ends.
  orchestrator: [
    ...createOpeningTurns(contract),
    spawn(
      'code --name list --clauses C1,C2,C3',
      'Add `list` to units/cli.py, with a test in tests/test_list.py. The numerals come from roman_numbers.',
    ),
    say('The contract waits for your approval.'),
    spawn(
      'code --name list --clauses C1,C2,C3',
      'Add `list` to units/cli.py, with a test in tests/test_list.py. The numerals come from roman_numbers.',
    ),
    spawn('rw --name readme --clauses C4 --files README.md', 'Add a section on `python -m units list` to README.md.'),
    bash('wait-workers'),
    bash('submit'),
    context => say(`The list is done and judged: ${context.lastText.split('\n')[0]}`),
  ],
  endStates: ['PASS'],
}

// --- the files ---

function quantityModule(name: string, units: Record<string, number>): string {
  const table = Object.entries(units).map(([unit, factor]) => `    "${unit}": ${factor},\n`)
  return `"""${capitalize(name)}."""\n\nfrom .quantity import Quantity\n\n${name.toUpperCase()} = Quantity("${name}", {\n${table.join('')}})\n`
}

function quantityTest(name: string, units: Record<string, number>): string {
  return `import unittest

from units.${name} import ${name.toUpperCase()}


class ${capitalize(name)}Test(unittest.TestCase):
    def test_there_and_back(self):
        for unit in ${JSON.stringify(Object.keys(units))}:
            there = ${name.toUpperCase()}.convert(5, "${Object.keys(units)[0]}", unit)
            self.assertAlmostEqual(${name.toUpperCase()}.convert(there, unit, "${Object.keys(units)[0]}"), 5)
`
}

function listTest(): string {
  return `import contextlib
import io
import unittest

from units.cli import main


class ListTest(unittest.TestCase):
    def test_every_quantity_is_listed_in_order(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(main(["list"]), 0)
        lines = said.getvalue().splitlines()
        self.assertEqual(lines, sorted(lines))
        self.assertEqual(len(lines), ${Object.keys(quantities).length})`
}

const quantityClass = `"""A quantity: its units, each as a multiple of the first."""


class Quantity:
    def __init__(self, name, units):
        self.name = name
        self.units = units

    def convert(self, amount, source, target):
        return amount * self.units[source] / self.units[target]
`

const catalog = `"""Every quantity, by its name."""

${Object.keys(quantities)
  .map(name => `from .${name} import ${name.toUpperCase()}\n`)
  .join('')}
QUANTITIES = {quantity.name: quantity for quantity in (${Object.keys(quantities)
  .map(name => name.toUpperCase())
  .join(', ')})}


def find(source, target):
    for quantity in QUANTITIES.values():
        if source in quantity.units and target in quantity.units:
            return quantity
    return None
`

const cli = `"""The command line: 5 km to mile."""

import os

from .catalog import find


def main(words):
    if len(words) != 4 or words[2] != "to":
        print("usage: python -m units AMOUNT UNIT to UNIT")
        return 2
    quantity = find(words[1], words[3])
    if quantity is None:
        print(f"no quantity has both {words[1]} and {words[3]}")
        return 1
    digits = int(os.environ.get("UNITS_DIGITS", "6"))
    print(round(quantity.convert(float(words[0]), words[1], words[3]), digits))
    return 0
`

const cliTest = `import contextlib
import io
import os
import unittest

from units.cli import main


class CliTest(unittest.TestCase):
    def test_a_conversion_is_printed(self):
        self.assertEqual(os.environ.get("UNITS_DIGITS"), "6", "see .env.test")
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(main(["5", "km", "to", "m"]), 0)
        self.assertEqual(said.getvalue(), "5000.0\\n")
`

function readme(): string {
  return `# units

Convert between units on the command line.

    python3 -m venv .venv && .venv/bin/pip install -r requirements.txt
    .venv/bin/python -m units 5 km to mile

Tests: \`cp .env.example .env.test\`, then \`python -m unittest\`.
`
}

const instructions = `# Working on units

- Standard library only, besides what is in requirements.txt.
- A new command lives in units/cli.py and has a test of its own.
- Tests are plain unittest; run them with \`python -m unittest\`.
`

const wheelMaker = `"""Write the wheel of roman_numbers, the same bytes each time."""

import base64
import hashlib
import pathlib
import zipfile

SOURCE = '''"""Roman numerals."""


def roman(number):
    text = ""
    for value, sign in ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        while number >= value:
            text += sign
            number -= value
    return text
'''
INFO = "roman_numbers-1.0.dist-info"
FILES = {
    "roman_numbers.py": SOURCE,
    f"{INFO}/METADATA": "Metadata-Version: 2.1\\nName: roman-numbers\\nVersion: 1.0\\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\\nGenerator: make_wheel\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}


def line(name, text):
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(text)}\\n"


record = "".join(line(name, text) for name, text in FILES.items()) + f"{INFO}/RECORD,,\\n"
target = pathlib.Path(__file__).parent / "roman_numbers-1.0-py3-none-any.whl"
with zipfile.ZipFile(target, "w") as wheel:
    for name, text in {**FILES, f"{INFO}/RECORD": record}.items():
        wheel.writestr(zipfile.ZipInfo(name), text)
`
