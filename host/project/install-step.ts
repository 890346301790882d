/** A command that installs dependencies, its program, and the files it depends on. */
export interface InstallStep {
  /** Of an ecosystem: `node`, `python`, `go` and so on. */
  tool: string
  program: string
  command: string
  lockfiles: string[]
  /** What a person should know of the choice. */
  remark?: string
}

/** A folder of a repository. */
export interface ProjectFolder {
  has(name: string): boolean
  /** All files in it and below, by their paths from there. */
  files: string[]
  read(name: string): Promise<string>
}
