import fs from 'node:fs'
import path from 'node:path'
import { installFolder } from '../../host/index.ts'

/** Copy the install to a folder, without tests and, where `leftOut` names them, without some packages. Answers its door. */
export function copyInstall(folder: string, leftOut: string[] = []): string {
  const parts = fs
    .readdirSync(installFolder)
    .filter(name => !['node_modules', '.git', 'test', 'docs', 'workspace'].includes(name))
  for (const part of parts) fs.cpSync(path.join(installFolder, part), path.join(folder, part), { recursive: true })
  const modules = path.join(folder, 'node_modules')
  fs.mkdirSync(modules)
  for (const name of fs.readdirSync(path.join(installFolder, 'node_modules')).filter(each => !leftOut.includes(each)))
    fs.symlinkSync(path.join(installFolder, 'node_modules', name), path.join(modules, name))
  return path.join(folder, 'bin/dispatch')
}
