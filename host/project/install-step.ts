/** A command that installs dependencies, its program, and the files it depends on. */
export interface InstallStep {
  /** Of an ecosystem: `node`, `python`, `go` and so on. */
  tool: string
  program: string
  command: string
  /** A second command, for what is better to have. It cannot fail. */
  optional?: string
  lockfiles: string[]
  /** Patterns of more files that it depends on: the modules of a project have files of their own, and new ones come. */
  patterns?: string[]
  /** Files that it writes beside those of the project. */
  makes?: string[]
  /** What a person should know of the choice. */
  remark?: string
}

/** What a tool does in a folder. Its `lockfiles` are more than those that led to it. */
export type Install = Pick<InstallStep, 'command' | 'optional' | 'patterns' | 'makes' | 'remark'> & {
  lockfiles?: string[]
}

/** A folder of a repository. */
export interface ProjectFolder {
  has(name: string): boolean
  /** All files in it and below, by their paths from there. */
  files: string[]
  read(name: string): Promise<string>
}
