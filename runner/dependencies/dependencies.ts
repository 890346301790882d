/** Whether a commit's dependencies are there, and how a copy of the tree gets them. */
export type Dependencies =
  | {
      ok: true
      /** Names what they were made from; null where nothing is needed. */
      key: string | null
      /** Put them into this copy of the tree. */
      copyInto(tree: string): Promise<void>
      /** What a program in that copy is told, besides its own environment. */
      getVariables(tree: string): Record<string, string>
      /** Folders in that copy whose programs can be called by name. */
      listProgramFolders(tree: string): string[]
      /** The paths that were made, from the top of the tree. */
      paths: string[]
    }
  | { ok: false; reason: string }
