const darwinFolders = { cp: '/bin', ps: '/bin', mount: '/sbin' }

/**
 * A program of the system. On macOS by its path, because another one of the name may come first on PATH, such as those of GNU,
 * which take other options. Pure.
 */
export function locateSystemProgram(
  name: keyof typeof darwinFolders,
  platform: NodeJS.Platform = process.platform,
): string {
  return platform === 'darwin' ? `${darwinFolders[name]}/${name}` : name
}

/** The program by which claude reads the keychain of a Mac; undefined elsewhere. */
export const keychainProgram = process.platform === 'darwin' ? '/usr/bin/security' : undefined
