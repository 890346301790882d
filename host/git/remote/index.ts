export {
  archiveTag,
  findRemote,
  listOwnWork,
  type RemoteRefs,
  type RemoteRepository,
  readRemoteRefs,
} from './remote.ts'
