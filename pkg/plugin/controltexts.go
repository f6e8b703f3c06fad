package plugin

import "github.com/kubectl-canary/kubectl-canary/internal/canary"

// controls are what the commands for other terminals say of themselves.
var controls = map[canary.Verb]struct{ short, long, example, done string }{
	canary.VerbPause: {
		"Stop the clock of a migration's pause",
		`Stop the clock of the pause that a running migration is in, or of the next one: it stays at its step, and goes on being
			watched, until somebody resumes it.`,
		`# Keep the migrations of a namespace where they are
			kubectl canary pause -n messenger`, "paused",
	},
	canary.VerbResume: {
		"Let a migration's pause run on",
		`Let the pause of a running migration run on that somebody has stopped with pause. A migration that nobody runs any more is
			gone on with by migrate --resume.`,
		`# Let it run on
			kubectl canary resume -n messenger`, "resumed",
	},
	canary.VerbApprove: {
		"Approve of the step that a migration is at",
		`Approve of the step that a migration is at. With migrate --approve it then goes on to the next step, when its pause is over.
			Where gates had seen too little and the migration is held, the approval is kept, and migrate --resume goes on.`,
		`# Let the migration of one release go on to its next step
			kubectl canary approve auth`, "approved",
	},
	canary.VerbAbort: {
		"End a migration, and roll back",
		`End a migration: whoever runs it gives all of the traffic back to stable, of all releases that migrate together. Where nobody
			runs it any more, this command rolls back.`,
		`# End it
			kubectl canary abort -n messenger`, "aborted",
	},
}
