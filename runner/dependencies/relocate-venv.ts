import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { listNames } from '#host/fs'

/**
 * Replace the path of the original tree in a copied Python environment. Its scripts begin with the absolute path of the
 * interpreter, and a project installed in place is found by an absolute path: without this, `pytest` in the copy would test the
 * code of the original. Package tools also record where a project was installed from, and would install it again if it is not
 * there. node_modules and vendor have relative links only. Any other folder is left alone.
 */
export function relocateVenv(folder: string, from: string, to: string): void {
  if (!fs.existsSync(path.join(folder, 'pyvenv.cfg'))) return
  for (const file of [path.join(folder, 'pyvenv.cfg'), ...listScripts(folder), ...listPathFiles(folder)])
    rewritePaths(file, from, to)
  // pip and uv write it as an address, with %20 for a blank.
  for (const file of listInstallRecords(folder)) rewritePaths(file, pathToFileURL(from).href, pathToFileURL(to).href)
}

// --- internal ---

function listScripts(folder: string): string[] {
  return listNames(path.join(folder, 'bin')).map(name => path.join(folder, 'bin', name))
}

/** The files by which Python finds projects that are installed in place. */
function listPathFiles(folder: string): string[] {
  return listPackageFolders(folder).flatMap(packages =>
    listNames(packages)
      .filter(name => /\.(pth|egg-link)$|^__editable__/.test(name))
      .map(name => path.join(packages, name)),
  )
}

/** Where each package was installed from (PEP 610). */
function listInstallRecords(folder: string): string[] {
  return listPackageFolders(folder).flatMap(packages =>
    listNames(packages)
      .filter(name => name.endsWith('.dist-info'))
      .map(name => path.join(packages, name, 'direct_url.json')),
  )
}

function listPackageFolders(folder: string): string[] {
  return listNames(path.join(folder, 'lib')).map(version => path.join(folder, 'lib', version, 'site-packages'))
}

const MAX_SCRIPT_BYTES = 1024 * 1024

function rewritePaths(file: string, from: string, to: string): void {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false })
  if (!stat?.isFile() || stat.size > MAX_SCRIPT_BYTES) return
  const bytes = fs.readFileSync(file)
  if (bytes.includes(0) || !bytes.includes(from)) return
  fs.writeFileSync(file, bytes.toString('utf8').replaceAll(from, to), { mode: stat.mode })
}
