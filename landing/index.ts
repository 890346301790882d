export { type LandingMethod, landingMethods, type Replay, replayWork } from './replay.ts'
