/** The files of the project, and how to read code in them without comments or strings. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { buildFolder, installFolder } from '#host/config'

/** Imports only go down: a room may import a room with a smaller number. */
export const floors: Record<string, number> = {
  bin: 5,
  hooks: 5,
  scripts: 5,
  cli: 4,
  agents: 3,
  runner: 3,
  validator: 3,
  forge: 3,
  watchdog: 3,
  notify: 3,
  queue: 3,
  intake: 3,
  landing: 3,
  projects: 3,
  webui: 3,
  rehearsal: 3,
  session: 2,
  host: 1,
}

export interface SourceFile {
  /** From the top of the install, with `/`. */
  file: string
  room: string
  text: string
}

const ignoredNames = ['node_modules', buildFolder, '.git', '.env', '.DS_Store']

export const files = listFiles('')
export const texts: SourceFile[] = files
  .filter(file => !/\.(png|ico)$/.test(file))
  .map(file => ({ file, room: getRoom(file), text: fs.readFileSync(path.join(installFolder, file), 'utf8') }))
export const code = texts.filter(({ file, room }) => file.endsWith('.ts') && room in floors)
export const shell = texts.filter(({ text, room }) => room in floors && text.startsWith('#!/bin/sh'))

/** Every file of the project, as git would list them, without asking git. */
function listFiles(folder: string): string[] {
  return fs.readdirSync(path.join(installFolder, folder), { withFileTypes: true }).flatMap(entry => {
    const file = path.posix.join(folder, entry.name)
    if (ignoredNames.includes(entry.name) || entry.name.endsWith('.log')) return []
    if (folder === 'workspace' && entry.name !== 'README.md') return []
    return entry.isDirectory() ? listFiles(file) : [file]
  })
}

export function getRoom(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : ''
}

export function getText(file: string): string {
  return texts.find(source => source.file === file)?.text ?? ''
}

export function assertNone(found: string[], rule: string): void {
  assert.deepEqual(found, [], `${rule}:\n  ${found.join('\n  ')}\n`)
}

/** A comment, a string or a pattern in TypeScript. */
export const pieces =
  /(\/\/[^\n]*|\/\*[\s\S]*?\*\/)|('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|((?<=[(,=:[!&|?{};+\n]\s*|\breturn\s+)\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*)/g

/** The code without its comments. */
export function removeComments(text: string): string {
  return text.replace(pieces, (whole, comment) => (comment === undefined ? whole : ''))
}

/** The code without comments, strings and patterns. Of a template, only the code inside `${}` stays. */
export function removeStrings(text: string): string {
  const plain = text.replace(pieces, (_, comment, string) =>
    comment !== undefined || string === undefined ? ' ' : "''",
  )
  return plain.replace(/`(?:[^`\\]|\\.)*`/g, template =>
    [...template.matchAll(/\$\{([^}]*)\}/g)].map(([, inner]) => inner).join(' ; '),
  )
}
