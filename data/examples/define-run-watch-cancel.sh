#!/bin/sh
# Defines, runs, watches and cancels a task with busctl(1) alone. With --user it is the user's own task scheduler.
set -eu

bus=${1-}
manager='org.taskschedd1 /org/taskschedd1 org.taskschedd1.Manager'

# Define it, or a new revision of it: a name, the text of a task file, and no option. The answer is the revision.
busctl $bus call $manager ApplyTask 'ssa{sv}' busctl-example '
[Task]
Description=Sleeps, and says how far it is
[Input]
seconds=integer required min=1
[Service]
ExecStart=/bin/sh -c "for i in $$(seq $$1); do sleep 1; echo $$i; done" sh ${seconds}
' 0

# Everything that happens to runs is told by a signal; listen before asking, and until this script ends.
busctl $bus monitor --match="type='signal',interface='org.taskschedd1.Manager',member='RunChanged'" &
trap 'kill $!' EXIT

# Run it: one input (an integer), no option. The answer is an id and the path of the object.
set -- $(busctl $bus call $manager RunTask 'sa{sv}a{sv}' busctl-example 1 seconds x 60 0)
run=$(echo "$3" | tr -d '"')
echo "Run $2 is $run."

# Watch it: what is known of it are properties of its object.
while :; do
    state=$(busctl $bus get-property org.taskschedd1 "$run" org.taskschedd1.Run State)
    echo "It is $state."
    [ "$state" != 's "running"' ] || break
    sleep 0.2
done

# Cancel it. The answer comes when that is recorded; the processes have TimeoutStopSec= to end.
busctl $bus call org.taskschedd1 "$run" org.taskschedd1.Run Cancel
until [ "$state" = 's "done"' ]; do
    sleep 0.2
    state=$(busctl $bus get-property org.taskschedd1 "$run" org.taskschedd1.Run State)
done
busctl $bus get-property org.taskschedd1 "$run" org.taskschedd1.Run Result

# Away with the definition; what it did stays in the database.
busctl $bus call org.taskschedd1 /org/taskschedd1/task/busctl_2dexample org.taskschedd1.Task Delete
