#!/bin/sh
# Defines, runs, watches and cancels a task with busctl(1) alone.
# With --user it is the user's own task scheduler.
set -eu

bus=${1-}
manager='org.taskschedd1 /org/taskschedd1 org.taskschedd1.Manager'

# Define it, or a new revision of it: a name, the text of a task file, no option.
# The answer is the revision.
busctl $bus call $manager ApplyTask 'ssa{sv}' busctl-example '
[Task]
Description=Sleeps, and says how far it is
[Input]
seconds=integer required min=1
[Service]
ExecStart=/bin/sh -c "for i in $$(seq $$1); do sleep 1; echo $$i; done" sh ${seconds}
' 0

# What happens to runs is told by a signal: listen before asking.
match="type='signal',interface='org.taskschedd1.Manager',member='RunChanged'"
busctl $bus monitor --match="$match" &
trap 'kill $!' EXIT

# Run it: one input (an integer), no option. The answer is an id and an object.
set -- $(busctl $bus call $manager RunTask 'sa{sv}a{sv}' \
    busctl-example 1 seconds x 60 0)
object="org.taskschedd1 $(echo "$3" | tr -d '"') org.taskschedd1.Run"
echo "Run $2 is $object."

# Watch it: what is known of it are properties of its object.
while :; do
    state=$(busctl $bus get-property $object State)
    echo "It is $state."
    [ "$state" != 's "running"' ] || break
    sleep 0.2
done

# Cancel it. That is recorded at once; the processes have TimeoutStopSec= to end.
busctl $bus call $object Cancel
until [ "$state" = 's "done"' ]; do
    sleep 0.2
    state=$(busctl $bus get-property $object State)
done
busctl $bus get-property $object Result

# Away with the definition; what it did stays in the database.
busctl $bus call $manager DeleteTask s busctl-example
