import os from 'node:os'
import path from 'node:path'

/**
 * Why a service may not be able to read these folders; undefined if it may. macOS asks the person before a program that it started
 * may read some folders, and without an answer reading fails or hangs. Pure but for the home.
 */
export function explainPrivateFolders(
  folders: string[],
  home = os.homedir(),
  platform = process.platform,
): string | undefined {
  const found = platform === 'darwin' ? folders.filter(folder => isPrivate(folder, home)) : []
  if (found.length === 0) return undefined
  return `macOS may keep a service from reading ${found.join(', ')}. Allow it when it asks, or in System Settings > Privacy & Security > Files and Folders. Or move the project out of there.`
}

// --- internal ---

const privateNames = ['Desktop', 'Documents', 'Downloads', 'Library/Mobile Documents', 'Library/CloudStorage']

/** In one of the folders that macOS protects, or on another disk. The names are compared as its file system does. */
function isPrivate(folder: string, home: string): boolean {
  const places = [...privateNames.map(name => path.join(home, name)), '/Volumes']
  return places.some(place => `${folder}/`.toLowerCase().startsWith(`${place}/`.toLowerCase()))
}
