import fs from 'node:fs'
import path from 'node:path'
import { DispatchError, exitCodes } from '#host/error.ts'
import { copyTree } from '#host/fs'

/**
 * Copy something of ours to its place in a tree that an agent has written, unless something stands there. Answers whether it
 * was copied. A link on the way would lead us out of the tree, so it is refused (exit 13).
 */
export async function copyIntoTree(tree: string, name: string, from: string): Promise<boolean> {
  const steps = name.split('/')
  for (let depth = 1; depth < steps.length; depth++) {
    const parent = steps.slice(0, depth).join('/')
    const found = fs.lstatSync(path.join(tree, parent), { throwIfNoEntry: false })
    if (found && !found.isDirectory())
      throw new DispatchError(`${name} cannot be put in its place: ${parent} is no folder`, {
        exitCode: exitCodes.integrity,
      })
  }
  const to = path.join(tree, name)
  if (fs.lstatSync(to, { throwIfNoEntry: false })) return false
  await copyTree(from, to)
  return true
}
