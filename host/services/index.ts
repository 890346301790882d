export {
  listEndedServices,
  listServiceVariables,
  planServices,
  readServiceOutput,
  readServiceProblem,
  type ServicePlan,
} from './services.ts'
