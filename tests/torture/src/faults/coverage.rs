//! Whether the steps of a job are all the calls that it makes.

use emulators::front::Call;

use super::{
    scene::{Armed, Scene, must},
    step::{AwsCall, Step, Target},
};

impl Scene {
    /// Every call of the job must be at one of its steps, and every step must be there.
    pub(super) fn compare(&self, steps: &[Step], armed: &Armed) -> Result<(), String> {
        let stack = self.stack();
        let aws: Vec<AwsCall> = steps
            .iter()
            .filter_map(|step| match step.target {
                Target::Aws(call) => Some(call),
                Target::TikTokShop(..) => None,
            })
            .collect();
        for front in [stack.dynamodb().front(), stack.secrets_manager().front(), stack.lambda().front()] {
            let ours = |call: &Call| self.functions.iter().any(|it| call.caller.as_deref() == Some(it.access_key_id()));
            for call in front.calls().into_iter().filter(ours).filter(|call| !is_of_every_run(call)) {
                let known = aws.iter().any(|step| step.matches(&call, &self.connection));
                must(known || call.keys == ["tiktok-shop/us/nobody"], || format!("a call without a step: {call:?}"))?;
            }
        }
        for step in steps {
            let (made, at_least, at_most) = match step.target {
                Target::TikTokShop(route, times) => (self.calls_to(route, armed.at_marketplace), times, times),
                Target::Aws(call) => {
                    let like = aws.iter().filter(|other| other.is_like(call)).count();
                    (self.calls_like(call).len(), like, if call.repeats() { usize::MAX } else { like })
                }
            };
            must((at_least..=at_most).contains(&made), || format!("{made} calls at or like the step {:?}", step.name))?;
        }
        Ok(())
    }
}

/// A sweep counts the fleet and asks for what else is due, beside whatever else it does.
fn is_of_every_run(call: &Call) -> bool {
    let indexes = ["listing", "due", "chores"].map(|index| format!("connections/index/{index}"));
    call.keys == ["count/fleet"] || indexes.iter().any(|index| call.resource.as_ref() == Some(index))
}
