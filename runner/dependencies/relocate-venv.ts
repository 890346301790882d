import fs from 'node:fs'
import path from 'node:path'
import { listNames } from '#host/fs'

/**
 * Replace the path of the original tree in a copied Python environment. Its scripts begin with the absolute path of the
 * interpreter, and a project installed in place is found by an absolute path: without this, `pytest` in the copy would test the
 * code of the original. node_modules and vendor have relative links only. Any other folder is left alone.
 */
export function relocateVenv(folder: string, from: string, to: string): void {
  if (!fs.existsSync(path.join(folder, 'pyvenv.cfg'))) return
  for (const file of [path.join(folder, 'pyvenv.cfg'), ...listScripts(folder), ...listPathFiles(folder)])
    rewritePaths(file, from, to)
}

// --- internal ---

function listScripts(folder: string): string[] {
  return listNames(path.join(folder, 'bin')).map(name => path.join(folder, 'bin', name))
}

/** The files by which Python finds projects that are installed in place. */
function listPathFiles(folder: string): string[] {
  return listNames(path.join(folder, 'lib')).flatMap(version => {
    const packages = path.join(folder, 'lib', version, 'site-packages')
    return listNames(packages)
      .filter(name => name.endsWith('.pth') || name.startsWith('__editable__'))
      .map(name => path.join(packages, name))
  })
}

const MAX_SCRIPT_BYTES = 1024 * 1024

function rewritePaths(file: string, from: string, to: string): void {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stat?.isFile() || stat.size > MAX_SCRIPT_BYTES) return
  const bytes = fs.readFileSync(file)
  if (bytes.includes(0) || !bytes.includes(from)) return
  fs.writeFileSync(file, bytes.toString('utf8').replaceAll(from, to), { mode: stat.mode })
}
